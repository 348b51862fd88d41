import { airplane, helicopter, helipad, windmill } from './aircraft.ts';
import { pier, ship } from './boats.ts';
import type { Category } from './category.ts';
import { chimney, containerCrane, storageTank } from './industry.ts';
import { bridge, car, overpass, roundabout, truck } from './roads.ts';
import {
  baseballField,
  basketballCourt,
  soccerField,
  stadium,
  swimmingPool,
  tennisCourt,
  trackField,
} from './sports.ts';

/** The categories, named as in DOTA and DIOR, from which RISBench takes its images. */
export const categories: readonly Category[] = [
  airplane,
  baseballField,
  basketballCourt,
  bridge,
  car,
  chimney,
  containerCrane,
  helicopter,
  helipad,
  overpass,
  pier,
  roundabout,
  ship,
  soccerField,
  stadium,
  storageTank,
  swimmingPool,
  tennisCourt,
  trackField,
  truck,
  windmill,
];
