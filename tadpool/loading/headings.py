"""What headings of tables usually name, and names of columns made from them."""

import keyword
import re
import unicodedata


def _set(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


GROUPS = _set(
    "animal area bakery batch bird block brood cage camp cask center centre chick child city class "
    "classroom clinic clinician cluster cohort colony company country county court cow district "
    "doctor donor driver dyad employee factory family farm field firm flock forest fund garden grain "
    "group herd hospital household id individual item judge lab laboratory lake lamb litter location "
    "lot machine mouse neighborhood neighbourhood nest operator participant patient pen person pig "
    "plate player plot pond province pupil rat rater region respondent river sample school section "
    "shop site state station store story street student study subj subject tank teacher team town tract "
    "trap tree village ward woman word worker"
)
SUMMARIES = _set("average mean median percent population share size")
"""Of groups: a number that describes their members, as in `class size`."""
OUTCOMES = _set(
    "abundance accuracy admit alive bmi bp breaks case cases chips claims conc concentration correct "
    "count counts dead death deaths diameter died error errors events gain growth incidence infected "
    "injuries killed len mpg ncases observed outcome passed rating reaction response result rt score "
    "seizures success successes surv survival survived ticks travel y yield"
)
PREDICTORS = _set(
    "age arm base baseline before category condition date day days density dose exposure floor gender "
    "height hour hours income initial lag level month months n order period phase population pre pred "
    "predation previous race rate season sequence session sex size temp temperature time total treat "
    "treatment trial trials trt visit week weeks year years"
)
CONDITIONS = _set(
    "arm condition diet dose drug factor feed fertiliser fertilizer gender method phase race season "
    "sex spray stage supp temperature tension treat treatment trt type variety wool"
)
COUNTED = _set(
    "abundance accidents breaks calls cases chips claims count counts deaths errors events injuries "
    "killed number offspring seizures successes ticks visits"
)
MEASURED = _set(
    "age bmi bp depth diameter distance flipper height hp income len length mass mpg pressure price "
    "reaction rt salary speed strength temperature time travel weight width yield"
)
TRIALS = _set("attempts density examined invited n size tested total totals trial trials tries")
EXPOSURES = _set("effort exposed exposure holders hours person_years personyears population pyears")
COMPLEMENTS = _set("controls failed failure failures ncontrols noncases not survivors")
RATINGS = _set("agreement likert opinion rating response satisfaction")
ROWS = frozenset({"id", "index", "no", "obs", "observation", "row", "row_names", "rownames", "unnamed: 0", "x"})
TAKEN = _set(
    "alpha alpha_at_means beta chain correlation cutpoints dispersion diverging draw elpd elpd_psis "
    "hu k kappa lambda mcse method mu nu overdispersion p p_loo pareto_k phi rhat self shape sigma "
    "spread variation zi"
)
"""Names that results or parameters of models have."""
UNITS = _set(
    "mm cm dm m km in inch inches ft feet yd mi miles mm2 cm2 m2 km2 mm² cm² m² km² ha acre acres mm3 cm3 m3 mm³ cm³ m³ "
    "ul µl ml dl l gal ng ug µg mg g kg t lb lbs oz ms s sec secs second seconds min mins minute minutes h hr hrs hour hours "
    "d day days week weeks month months y yr yrs year years k °c °f celsius fahrenheit % percent ‰ ppm ppb nmol µmol umol mmol "
    "mol mm/s m/s km/h mph mpg ng/ml µg/l ug/l mg/dl mg/l g/l g/dl mmol/l pci/l bq/m3 bq/m³ kg/m2 kg/m² pa hpa kpa mbar bar "
    "mmhg psi w kw mw wh kwh j kj cal kcal mv v ma a hz khz bpm db usd eur gbp $ € £"
)
UNITS_BEHIND = re.compile(r"\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")


def words(heading: str) -> set[str]:
    """The words of a heading, in lower case, also without an s at their end, and the whole."""
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", heading)
    found = {part for part in re.split(r"[\W_]+", parts.casefold()) if part}
    return found | {part[:-1] for part in found if part.endswith("s")} | {"_".join(heading.casefold().split())}


def units(heading: str) -> str:
    """Units that a heading has in brackets at its end, `height (cm)`; or ""."""
    found = UNITS_BEHIND.search(heading)
    return found[1] if found and found[1].casefold() in UNITS else ""


def name_of(heading: str, others: set[str]) -> str:
    """A name that a column can have: the heading where it can, without units, blanks and signs.

    Args:
        heading: Of the column.
        others: Names that are taken.
    """
    bare = UNITS_BEHIND.sub("", heading) if units(heading) else heading
    plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_")[:50]
    name = name if re.match(r"[A-Za-z]", name) else f"column_{name}".rstrip("_")
    if keyword.iskeyword(name) or name.casefold() in TAKEN or name.startswith("n_") or name.endswith("_index"):
        name = f"the_{name.removesuffix('_index')}"
    number, free = 2, name
    while free in others:
        free, number = f"{name}_{number}", number + 1
    return free
