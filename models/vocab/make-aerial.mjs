// Writes aerial.txt, a WordPiece vocabulary for English sentences about what aerial images show.
// node models/vocab/make-aerial.mjs
//
// It is for demonstrations and small models trained from scratch; a model that starts from published BERT weights
// needs the vocabulary it was published with. Special tokens sit where bert-base-uncased has them. Every letter and
// digit is there alone and as a continuation, so an unknown word is spelled out and never becomes [UNK].

import { writeFileSync } from 'node:fs';

const words = (text) => text.trim().split(/\s+/);

/** Things with a regular plural. */
const things = words(`
  aircraft airfield airplane airport airstrip antenna apartment apron aqueduct area arena arrow asphalt avenue awning
  backyard bank bar barge barn barrier baseball basketball basin bay beach bed bend bicycle bike bikeway billboard block
  boat bollard boulder boundary branch bridge brook building bulldozer bunker bus bush cabin camp campus canal canopy
  car carport carriageway cart castle cathedral causeway cell cemetery center centre channel chapel chimney church
  circle city clearing cliff cloud cluster coast coastline column community compound container corner cottage court
  courtyard crane creek crop crossing crossroad crosswalk cube curb curve cyclist cylinder dam deck deer depot desert
  dirt disc ditch dock dome dot door driveway dune earth edge embankment engine entrance estate excavator exit
  expressway facade facility factory farm farmhouse farmland fence ferry field fishpond flag flat floor flower flyover
  forest fountain frame freeway freighter front fuselage gap garage garden gate glacier glass goal golf grass grassland
  gravel green greenhouse grid grove guardrail gym hall hangar harbor harbour hedge helicopter helipad hexagon highway
  hill hole home hospital hotel house hull hut impervious industry inlet installation interchange intersection island
  jeep jet jetty junction kayak knoll lagoon lake land landmark lane lawn leaf library light lighthouse line loop lorry
  lot mall mangrove mansion marina mark marker marking marsh mast meadow median mill mine minivan monument mosque motel
  motorbike motorboat motorcycle motorway mound mountain mud neighborhood neighbourhood office oil orchard oval overpass
  paddy pad palace panel parcel park parkland parking passage passenger patch path patio pavement pavilion pedestrian
  peninsula pentagon person petrol pickup pier pile pipe pipeline pitch place plain plane plant plantation plate
  platform playground plaza plot pole pond pool port pole power promenade propeller pyramid quadrilateral quarry quay
  rail railway rampart ramp ranch rapid ravine rectangle reef refinery region reservoir residence resort restaurant
  ridge rink river riverbank road roadside rock roof rooftop roundabout row ruin runway sailboat sand scooter scrub
  sea seaplane section sedan service shack shade shadow shed ship shipyard shop shore shoreline shoulder shrub side
  sidewalk sign silo site ski slope snow soccer soil solar spot square stadium stair stall stand station statue stem
  stern stone store storage strait stream street strip structure substation suburb suit surface suv swamp swimming
  switch tail tank tanker tarmac taxi taxiway temple tennis tent terminal terrace terrain theater theatre tip toll top
  tower town track tractor traffic trail trailer train tram transformer tree trench triangle truck trunk tug tunnel
  turbine turn underpass university vacancy valley van vegetation vehicle vessel viaduct villa village vineyard volcano
  volleyball walkway wall warehouse warship water waterfall waterway wave wetland wharf wheel windmill window wing wood
  woodland workshop wreck yacht yard zebra zone
  object target item thing part piece pair group set line kind type pattern shape color colour size number middle half
  quarter direction distance image picture photo scene view pixel background foreground border bottom base end point
  position location body head nose mouth foot arm hand man woman people child worker driver player team couple crowd
  football handball hockey rugby cricket athletics running race horse cow sheep animal bird
  segment span support pillar beam arch cable rope chain bar tube tyre windscreen bumper cab load cargo crate box bin
  sewage treatment clarifier digester cooling smoke steam flame dust fog haze sun wind rain ice
`);

/** Words whose plural is not regular, or which have none; both forms are kept as they are. */
const irregular = words(`
  men women children people feet leaves branches bushes buses beaches churches crosses benches ditches patches pitches
  ranches trenches marshes grasses glasses boxes cities facilities factories ferries boundaries cemeteries communities
  industries jetties libraries quarries refineries territories valleys highways railways ruins outskirts surroundings
`);

const describing = words(`
  abandoned adjacent aerial agricultural ancient arched artificial asphalted average bare barren beige big black blue
  blurry bold bottom bottommost brick bright broad broken brown built busy central centermost centered circular clean
  clear closed closest cloudy coastal colorful colourful commercial complete complex concrete conical covered cream
  crooked crowded curved curving cyan cylindrical damaged dark deep deepest dense densely diagonal different dim dirty
  distant double dry dual eastern elliptical elongated empty enclosed entire even far faraway farther farthest fenced
  few first five flat foremost four fourth full fifth furthest giant golden grassy gray green grey half hexagonal high
  higher highest hilly historic hollow horizontal huge identical inclined individual industrial inner international
  irregular isolated it its large larger largest last lateral left leftmost light lined local lone long longer longest
  low lower lowermost lowest main many massive medium metal metallic middle mini modern moored moving multiple muddy
  narrow narrower narrowest natural near nearby nearer nearest neat new next nine northern northeastern northwestern
  oblique octagonal odd offshore old olive one only opposite orange other outdoor outer oval paired pale parallel
  parked partial partially paved pink planted pointed public purple quadrangular rear rectangular red regular
  residential rightmost right ring rocky round rounded rural rusty sandy scattered second semicircular separate
  separated seven several shaded shallow sharp shiny short shorter shortest silver similar single six slanted slender
  small smaller smallest smooth snowy solid southern southeastern southwestern spare sparse sparsely special spiral
  square squared staggered standing steel steep still straight striped strong suburban sunny surrounded swimming
  symmetrical tall taller tallest ten thick thin third three tilted tiny topmost transparent trapezoidal triangular
  turquoise twisting two underground unfinished uncovered unpaved upper uppermost upright urban vacant vast vertical
  violet visible wavy western wet white whole wide wider widest winding wooden yellow yellowish bluish greenish
  reddish whitish grayish brownish blackish multicolored eight eleven twelve dozen zero sixth seventh eighth ninth tenth
`);

const placing = words(`
  a about above across after against ahead all along alongside also although always among amid an and another any
  anywhere apart are around as aside at away back backward be because before behind being below beneath beside besides
  between beyond both but by can close could diagonally did do does down downward downwards downstream each east
  eastward either else enough every everything except farther for forward from front further had has have he her here
  him his how if in inside into is just least left less like lower made many may me middle more most much my near
  nearly neither next no none nor north northeast northward northwest not nothing of off on once one only onto opposite
  or others our out outside over past per please quite rather right same she should since slightly so some something
  somewhere south southeast southward southwest such than that the their them then there these they this those though
  through throughout till to together too toward towards under underneath until up upon upward upwards upstream us very
  was we were west westward what when where which while who whose will with within without would you your left's
  leftward rightward halfway horizontally vertically directly immediately approximately almost exactly mostly partly
  entirely completely relatively closely nearest respectively clockwise counterclockwise onward inland offshore
  o clock find show segment select locate mark highlight detect identify give look see point outline mask extract
`);

/** Verbs that take -s, -ed, -ing as they are, or after dropping an e. */
const doing = words(`
  anchor approach arrange attach belong berth block border bound build carry circle climb collect color connect consist
  construct contain cover cross crowd cultivate curve cut damage depart descend dock dot drive enclose enter extend
  face fence fill float flow fly follow form frame glow grow hang head hold include join land lead lean leave lie line
  link load locate look lower meet mix moor mount move occupy open orient overlap overlook paint park pass pave place
  plant play point position protrude pull push raise reach rest ride rise roll rotate rotated round row run sail
  separate serve shade shape share show sit slope span split spread stack stand start stop store stretch surround
  swim tilt touch tow travel turn unload use visit wait walk wind work
`);

const past = words(`
  built bent broken cut driven drawn flown gone grown held hung laid led left lain made met parked risen run seen shown
  sailed stood swum taken torn wound worn written stopped planned dotted spread lying tying running cutting sitting
  swimming splitting stopping overlapping dotting digging planning
`);

const endings = words(`
  s es ed d ing er ers est ly y ies ness ment ments ful less able ible al ial ion ions tion tions ation ations sion ity
  ous ive ize ise ic ical ish ist ism en ern ward wards way ways side yard land field house room line lines man men like
  ship boat craft port board work works wood stone water most right left ton ville shire burg th st nd rd n't
  an ar as at el em et il in is it ol on or ow ul um un up us ad ag am ap av ay ea ee el er ir oa ob oc od og oi ok om
  oo op os ot ou ow oy ra re ri ro ru sh st ch ck ct ff ft ge gh gn gs kn ld le li ll lm lo lt mb me mi mm mo mp na nc
  nd ne ng ni nk no nn ns nt pe ph pi pl po pp pr ps pt qu rb rc rg rk rl rm rn rr rs rt ry sc se si sk sl sm sn so sp
  ss su sw ta te ti tl to tr ts tt tu tw ty ub uc ud ue ug ui um ur ut va ve vi wa we wi za ze zy
`);

const plural = (word) => {
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return `${word}s`;
};
const inflected = (verb) => {
  const stem = verb.endsWith('e') ? verb.slice(0, -1) : verb;
  const past = /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ied` : `${stem}ed`;
  return [verb, plural(verb), past, `${verb === 'lie' ? 'ly' : stem}ing`];
};

const letters = [...'0123456789abcdefghijklmnopqrstuvwxyz'];
const punctuation = [...`!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`];

const whole = new Set([
  ...things,
  ...things.map(plural),
  ...irregular,
  ...describing,
  ...placing,
  ...doing.flatMap(inflected),
  ...past,
]);
const sorted = (set) => [...set].filter((word) => /^[a-z]{2,}$/.test(word)).sort();
const unused = Array.from({ length: 99 }, (_, i) => `[unused${i}]`);

const vocabulary = [
  '[PAD]',
  ...unused,
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...punctuation,
  ...letters,
  ...letters.map((letter) => `##${letter}`),
  ...sorted(whole),
  ...sorted(new Set(endings)).map((ending) => `##${ending}`),
];
if (new Set(vocabulary).size !== vocabulary.length) throw new Error('a word piece is there twice');
writeFileSync(new URL('aerial.txt', import.meta.url), `${vocabulary.join('\n')}\n`);
