import { airport, heliport } from './air.ts';
import { courts, farm, plain, sportsGround, tankFarm } from './land.ts';
import type { Landscape } from './landscape.ts';
import { carPark, crossroads, depot, motorway, street, suburb } from './town.ts';
import { harbour, marina, river, sea } from './water.ts';

export const landscapes: readonly Landscape[] = [
  airport,
  heliport,
  carPark,
  courts,
  crossroads,
  depot,
  farm,
  harbour,
  marina,
  motorway,
  plain,
  river,
  sea,
  sportsGround,
  street,
  suburb,
  tankFarm,
];
