"""Words of mirrored phrases, written from crobc's lists (runtime/data/mirror.ts)."""

from __future__ import annotations

PAIRS = (
    ("left", "right"),
    ("leftmost", "rightmost"),
    ("leftward", "rightward"),
    ("leftwards", "rightwards"),
    ("lefthand", "righthand"),
    ("east", "west"),
    ("eastern", "western"),
    ("easternmost", "westernmost"),
    ("eastward", "westward"),
    ("northeast", "northwest"),
    ("southeast", "southwest"),
    ("northeastern", "northwestern"),
    ("southeastern", "southwestern"),
)
"""Words of one side, each with that of the other."""

_BEFORE_SIDE = """
a and at back bottom center centre extreme far farthest from front its lower middle near
on or rear the their to top toward towards upper
"""
BEFORE_SIDE = frozenset(_BEFORE_SIDE.split())
"""Before left and right, where these are words of a side."""

_AFTER_SIDE = """
and area bank border bottom corner corners edge edges end half hand lane lower most of
one ones or part portion quarter row side sides third top upper wing
"""
AFTER_SIDE = frozenset(_AFTER_SIDE.split())
"""After left and right, where these are words of a side."""

_REMAINING = """
are be been being had has have is was were
"""
REMAINING = frozenset(_REMAINING.split())
"""Before left at the end of a phrase, which may then be what remains."""

_NEUTRAL = """
a abandoned about above across adjacent aerial after against agricultural ahead aircraft
aircrafts airfield airfields airplane airplanes airport airports airstrip airstrips all
almost along alongside also although always amid among an anchor anchored anchoring
anchors ancient and animal animals another antenna antennas any anywhere apart apartment
apartments approach approached approaches approaching approximately apron aprons
aqueduct aqueducts arch arched arches are area areas arena arenas arm arms around
arrange arranged arranges arranging arrow arrows artificial as aside asphalt asphalted
at athletics attach attached attaches attaching avenue avenues average away awning
awnings back background backgrounds backward backyard backyards bank banks bar bare
barge barges barn barns barren barrier barriers bars base baseball bases basin basins
basketball bay bays be beach beaches beam beams because bed beds before behind beige
being belong belonged belonging belongs below benches bend bends beneath bent berth
berthed berthing berths beside besides between beyond bicycle bicycles big bike bikes
bikeway bikeways billboard billboards bin bins bird birds black blackish block blocked
blocking blocks blue bluish blurry boat boats bodies body bold bollard bollards border
bordered bordering borders both bottom bottommost bottoms boulder boulders bound
boundaries boundary bounded bounding bounds bow box boxes branch branches brick bridge
bridges bright broad broken brook brooks brown brownish build building buildings builds
built bulldozer bulldozers bumper bumpers bunker bunkers bus buses bush bushes busy but
by cab cabin cabins cable cables cabs camp camps campus campuses can canal canals
canopies canopy car cargo cargos carport carports carriageway carriageways carried
carries carry carrying cars cart carts castle castles cathedral cathedrals causeway
causeways cell cells cemeteries cemetery center centered centermost centers central
centre centres chain chains channel channels chapel chapels child children chimney
chimneys church churches circle circled circles circling circular cities city clarifier
clarifiers clean clear clearing clearings cliff cliffs climb climbed climbing climbs
close closed closely closest cloud clouds cloudy cluster clusters coast coastal
coastline coastlines coasts collect collected collecting collects color colored colorful
coloring colors colour colourful colours column columns commercial communities community
complete completely complex compound compounds concrete conical connect connected
connecting connects consist consisted consisting consists construct constructed
constructing constructs contain contained container containers containing contains
cooling corner corners cottage cottages could couple couples court courts courtyard
courtyards cover covered covering covers cow cows crane cranes crate crates cream creek
creeks cricket crooked crop crops cross crossed crosses crossing crossings crossroad
crossroads crosswalk crosswalks crowd crowded crowding crowds cube cubes cultivate
cultivated cultivates cultivating curb curbs curve curved curves curving cut cuts
cutting cyan cyclist cyclists cylinder cylinders cylindrical dam damage damaged damages
damaging dams dark deck decks deep deepest deer deers dense densely depart departed
departing departs depot depots descend descended descending descends desert deserts
diagonal diagonally different digester digesters digging dim direction directions
directly dirt dirty disc discs distance distances distant ditch ditches dock docked
docking docks dome domes door doors dot dots dotted dotting double down downstream
downward downwards dozen drawn drive driven driver drivers drives driveway driveways
driving dry dual dune dunes dust each earth earths edge edges eight eighth either eleven
elliptical elongated else embankment embankments empty enclose enclosed encloses
enclosing end ends engine engines enough enter entered entering enters entire entirely
entrance entrances estate estates even every everything exactly excavator excavators
except exit exits expressway expressways extend extended extending extends facade
facades face faced faces facilities facility facing factories factory far faraway farm
farmhouse farmhouses farmland farmlands farms farther farthest feet fence fenced fences
fencing ferries ferry few field fields fifth fill filled filling fills first fishpond
fishponds five flag flags flame flames flat flats flies float floated floating floats
floor floors flow flowed flower flowers flowing flown flows fly flying flyover flyovers
fog follow followed following follows foot football foots for foreground foregrounds
foremost forest forests form formed forming forms forward fountain fountains four fourth
frame framed frames framing freeway freeways freighter freighters from front fronts full
further furthest fuselage fuselages gap gaps garage garages garden gardens gate gates
giant glacier glaciers glass glasses glow glowed glowing glows goal goals golden golf
golfs gone grass grasses grassland grasslands grassy gravel gravels gray grayish green
greenhouse greenhouses greenish greens grey grid grids group groups grove groves grow
growing grown grows guardrail guardrails gym gyms h-shaped had half halfway hall halls
hand handball hands hang hangar hangars hanging hangs harbor harbors harbour harbours
has have haze head headed heading heads hedge hedges held helicopter helicopters helipad
helipads here hexagon hexagonal hexagons high higher highest highway highways hill hills
hilly historic hockey hold holding holds hole holes hollow home homes horizontal
horizontally horse horses hospital hospitals hotel hotels house houses huge hull hulls
hung hut huts i-shaped ice identical if image images immediately impervious in inclined
include included includes including individual industrial industries industry inland
inlet inlets inner inside installation installations interchange interchanges
international intersection intersections into irregular is island islands isolated it
item items its jeep jeeps jet jets jetties jetty join joined joining joins junction
junctions just kayak kayaks kind kinds knoll knolls lagoon lagoons laid lain lake lakes
land landed landing landmark landmarks lands lane lanes large larger largest last
lateral lawn lawns lead leading leads leaf lean leaned leaning leans least leave leaves
leaving led less libraries library lie lies light lighthouse lighthouses lights like
line lined lines lining link linked linking links load loaded loading loads local locate
located locates locating location locations lone long longer longest look looked looking
looks loop loops lorries lorry lot lots low lower lowered lowering lowermost lowers
lowest lying made main mall malls man mangrove mangroves mansion mansions many marina
marinas mark marker markers marking markings marks marsh marshes massive mast masts
meadow meadows median medians medium meet meeting meets men met metal metallic middle
middles mill mills mine mines mini minivan minivans mix mixed mixes mixing modern
monument monuments moor moored mooring moors more mosque mosques most mostly motel
motels motorbike motorbikes motorboat motorboats motorcycle motorcycles motorway
motorways mound mounds mount mountain mountains mounted mounting mounts mouth mouths
move moved moves moving much mud muddy multicolored multiple narrow narrower narrowest
natural near nearby nearer nearest nearly neat neighborhood neighborhoods neighbourhood
neighbourhoods neither new next nine ninth no none nor north northern northernmost
northward nose noses not nothing o-shaped object objects oblique occupied occupies
occupy occupying octagonal odd of off office offices offshore oil oils old olive on once
one only onto onward open opened opening opens opposite or orange orchard orchards
orient oriented orienting orients other others out outdoor outer outline outside
outskirts oval ovals over overlap overlapping overlaps overlook overlooked overlooking
overlooks overpass overpasses pad paddies paddy pads paint painted painting paints pair
paired pairs palace palaces pale panel panels parallel parcel parcels park parked
parking parkland parklands parks part partial partially partly parts pass passage
passages passed passenger passengers passes passing past patch patches path paths patio
patios pattern patterns pave paved pavement pavements paves pavilion pavilions paving
pedestrian pedestrians peninsula peninsulas pentagon pentagons people per person persons
petrol petrols photo photos pickup pickups picture pictures piece pieces pier piers pile
piles pillar pillars pink pipe pipeline pipelines pipes pitch pitches pixel pixels place
placed places placing plain plains plane planes planned planning plant plantation
plantations planted planting plants plate plates platform platforms play played player
players playground playgrounds playing plays plaza plazas plot plots point pointed
pointing points pole poles pond ponds pool pools port ports position positioned
positioning positions power powers promenade promenades propeller propellers protrude
protruded protrudes protruding public pull pulled pulling pulls purple push pushed
pushes pushing pyramid pyramids quadrangular quadrilateral quadrilaterals quarries
quarry quarter quarters quay quays quite race races rail rails railway railways rain
raise raised raises raising ramp rampart ramparts ramps ranch ranches rapid rapids
rather ravine ravines reach reached reaches reaching rear rectangle rectangles
rectangular red reddish reef reefs refineries refinery region regions regular relatively
reservoir reservoirs residence residences residential resort resorts respectively rest
restaurant restaurants rested resting rests ride rides ridge ridges riding ring rink
rinks rise risen rises rising river riverbank riverbanks rivers road roads roadside
roadsides rock rocks rocky roll rolled rolling rolls roof roofs rooftop rooftops rope
ropes rotate rotated rotates rotating round roundabout roundabouts rounded rounding
rounds row rowed rowing rows rugby ruin ruins run running runs runway runways rural
rusty sail sailboat sailboats sailed sailing sails same sand sands sandy scattered scene
scenes scooter scooters scrub scrubs sea seaplane seaplanes seas second section sections
sedan sedans see seen segment segments semicircular separate separated separates
separating serve served serves service services serving set sets seven seventh several
sewage sewages shack shacks shade shaded shades shading shadow shadows shallow shape
shaped shapes shaping share shared shares sharing sharp shed sheds sheep sheeps shiny
ship ships shipyard shipyards shop shops shore shoreline shorelines shores short shorter
shortest shoulder shoulders showed showing shown shows shrub shrubs side sides sidewalk
sidewalks silo silos silver similar since single sit site sited sites siting sits
sitting six sixth size sizes ski skis slanted slender slightly slope sloped slopes
sloping small smaller smallest smoke smokes smooth snow snowy so soccer soil soils solar
solid some something somewhere south southern southernmost southward span spans spare
sparse sparsely special split splits splitting spot spots spread spreading spreads
square squared squares stack stacked stacking stacks stadium stadiums staggered stair
stairs stall stalls stand standing stands start started starting starts station stations
statue statues steam steams steel steep stem stems stern sterns still stone stones stood
stop stopped stopping stops storage storages store stored stores storing straight strait
straits stream streams street streets stretch stretched stretches stretching strip
striped strips strong structure structures substation substations suburb suburban
suburbs such suit suits sun sunny suns support supports surface surfaces surround
surrounded surrounding surroundings surrounds suv suvs swamp swamps swim swiming
swimming swims switch switches swum symmetrical t-shaped tail tails taken tall taller
tallest tank tanker tankers tanks target tarmac tarmacs taxi taxis taxiway taxiways team
teams temple temples ten tennis tent tenth tents terminal terminals terrace terraces
terrain terrains than that the theater theaters theatre theatres their them then there
these they thick thin thing things third this those though three through throughout till
tilt tilted tilting tilts tiny tip tips to together toll tolls too top topmost tops torn
touch touched touches touching tow toward towards towed tower towers towing town towns
tows track tracks tractor tractors traffic trail trailer trailers trails train trains
tram trams transformer transformers transparent trapezoidal travel traveled traveling
travels treatment treatments tree trees trench trenches triangle triangles triangular
truck trucks trunk trunks tube tubes tug tugs tunnel tunnels turbine turbines turn
turned turning turns turquoise twelve twisting two tying type types tyre tyres u-shaped
uncovered under underground underneath underpass underpasses unfinished universities
university unload unloaded unloading unloads unpaved until up upon upper uppermost
upright upstream upward upwards urban use used uses using v-shaped vacancies vacancy
vacant valley valleys van vans vast vegetation vehicle vehicles vertical vertically very
vessel vessels viaduct viaducts view views villa village villages villas vineyard
vineyards violet visible visit visited visiting visits volcano volcanos volleyball wait
waited waiting waits walk walked walking walks walkway walkways wall walls warehouse
warehouses warship warships was water waterfall waterfalls waters waterway waterways
wave waves wavy were wet wetland wetlands wharf wharfs what wheel wheels when where
which while white whitish whole whose wide wider widest will wind winding windmill
windmills window windows winds windscreen windscreens wing wings with within without
woman women wood wooden woodland woodlands woods work worked worker workers working
works workshop workshops worn would wound wreck wrecks x-shaped y-shaped yacht yachts
yard yards yellow yellowish zebra zebras zone zones
"""
NEUTRAL = frozenset(_NEUTRAL.split())
"""Words that mean the same in a mirrored image."""
