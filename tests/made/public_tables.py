"""Tables with the headings, sizes, labels and kinds of numbers of public ones; values are made up.

Each comes with what it holds: its outcome, groups and the kinds of columns, and which of these a
reader who does not know the table has to ask.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Public:
    """A public table. table: its columns. kinds: of columns, "" where one is not used. asked: what
    is a question: names of columns, "outcome" or "groups"."""

    table: dict
    outcome: str
    groups: tuple[str, ...]
    kinds: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    def write(self, path):
        pd.DataFrame(self.table).to_csv(path, index=False, na_rep="NA")
        return path


RNG = np.random.default_rng(20261130)


def _normal(n, mean, sd, digits=1):
    return np.round(RNG.normal(mean, sd, n), digits)


def _whole(n, low, high):
    """Whole numbers, with both ends."""
    values = RNG.integers(low, high + 1, n)
    values[:2] = low, high
    return values


def _crossed(*sides):
    """Every combination of labels, the last one fastest, as columns."""
    return [np.array(column) for column in zip(*pd.MultiIndex.from_product(sides), strict=True)]


def _letters(n, first="A"):
    return [chr(ord(first) + i) for i in range(n)]


def _sleepstudy():
    subject, days = _crossed(range(308, 326), range(10))
    return Public(
        {"Reaction": _normal(180, 300, 50, 2), "Days": days, "Subject": subject},
        "Reaction",
        ("Subject",),
        {"Days": "number"},
    )


def _cbpp():
    herd, period = _crossed(range(1, 16), range(1, 5))
    size = _whole(60, 2, 34)
    table = {"herd": herd, "incidence": np.minimum(RNG.poisson(2, 60), size), "size": size, "period": period}
    kinds = {"incidence": "count", "period": "categorical"}
    return Public(table, "incidence", ("herd",), kinds, {"trials": "size"}, ("period",))


def _pastes():
    batch, cask, _ = _crossed(_letters(10), _letters(3, "a"), range(2))
    sample = [f"{b}:{c}" for b, c in zip(batch, cask, strict=True)]
    table = {"strength": _normal(60, 60, 3), "batch": batch, "cask": cask, "sample": sample}
    return Public(table, "strength", ("sample", "batch"), {"cask": ""})


def _casks():
    """Pastes as somebody writes it down who does not need the column `sample`."""
    batch, cask, _ = _crossed(range(1, 11), range(1, 4), range(2))
    table = {"strength": _normal(60, 60, 3), "batch": batch, "cask": cask}
    return Public(table, "strength", ("batch", "cask"), asked=("cask",))


def _penicillin():
    plate, sample = _crossed(_letters(24, "a"), _letters(6))
    return Public(
        {"diameter": _whole(144, 18, 27), "plate": plate, "sample": sample},
        "diameter",
        ("plate", "sample"),
        {"diameter": "number"},
    )


def _epil():
    subject, period = _crossed(range(1, 60), range(1, 5))
    treated = np.where(subject > 28, "progabide", "placebo")
    base = np.repeat(_whole(59, 6, 151), 4)
    table = {
        "y": np.append(RNG.poisson(8, 235), 0),
        "trt": treated,
        "base": base,
        "age": np.repeat(_whole(59, 18, 42), 4),
    }
    table |= {"V4": (period == 4).astype(int), "subject": subject, "period": period}
    kinds = {"y": "count", "trt": "binary", "base": "number", "age": "number", "V4": "binary", "period": "categorical"}
    return Public(table, "y", ("subject",), kinds, asked=("y", "period"))


def _cookies():
    return Public(
        {"chips": _whole(150, 0, 23), "location": np.repeat(range(1, 6), 30)},
        "chips",
        ("location",),
        {"chips": "count"},
    )


def _radon():
    county = np.repeat([f"COUNTY {name}" for name in _letters(20)], RNG.integers(2, 30, 20))
    n = len(county)
    table = {"county": county, "floor": RNG.integers(0, 2, n), "log_radon": _normal(n, 1.2, 0.8, 3)}
    return Public(table, "log_radon", ("county",), {"floor": "binary", "log_radon": "number"}, asked=("outcome",))


def _reedfrogs():
    density = np.repeat([10, 25, 35], 16)
    survived = RNG.binomial(density, 0.7)
    pred, size, _ = _crossed(["no", "pred"], ["big", "small"], range(12))
    table = {
        "density": density,
        "pred": pred,
        "size": size,
        "surv": survived,
        "propsurv": np.round(survived / density, 7),
    }
    kinds = {"surv": "count", "pred": "binary", "size": "binary", "propsurv": ""}
    return Public(table, "surv", (), kinds, {"trials": "density"}, ("groups",))


def _trolley():
    person, story = _crossed(
        [f"{i};{i + 100}" for i in range(40)], ["aqu", "boa", "box", "bur", "car", "che", "pon", "rub"]
    )
    n = len(person)
    table = {
        "response": np.append(RNG.integers(1, 8, n - 7), range(1, 8)),
        "order": np.tile(range(1, 9), 40),
        "id": person,
    }
    table |= {"age": np.repeat(_whole(40, 18, 70), 8), "male": np.repeat(RNG.integers(0, 2, 40), 8), "story": story}
    table |= {name: RNG.integers(0, 2, n) for name in ("action", "intention", "contact")}
    kinds = {"response": "ordered", "age": "number", "male": "binary", "action": "binary"}
    return Public(table, "response", ("id", "story"), kinds)


def _chickweight():
    chick, time = _crossed(range(1, 51), range(0, 22, 2))
    diet = np.repeat(np.repeat([1, 2, 3, 4], [20, 10, 10, 10]), 11)
    table = {"weight": _whole(550, 35, 373), "Time": time, "Chick": chick, "Diet": diet}
    kinds = {"weight": "number", "Time": "number", "Diet": "categorical"}
    return Public(table, "weight", ("Chick",), kinds, asked=("outcome", "Diet"))


def _penguins():
    n = 90
    bill = _normal(n, 44, 5)
    bill[3] = np.nan
    sex = np.where(RNG.random(n) < 0.5, "male", "female").astype(object)
    sex[[3, 8]] = np.nan
    table = {
        "species": np.repeat(["Adelie", "Chinstrap", "Gentoo"], 30),
        "island": np.tile(["Biscoe", "Dream", "Torgersen"], 30),
    }
    table |= {"bill_length_mm": bill, "bill_depth_mm": _normal(n, 17, 2), "body_mass_g": _whole(n, 2700, 6300)}
    table |= {"sex": sex, "year": np.tile([2007, 2008, 2009], 30)}
    kinds = {"sex": "binary", "year": "number", "island": "categorical", "bill_depth_mm": "number"}
    return Public(table, "bill_length_mm", ("species",), kinds, asked=("outcome", "groups", "year"))


def _mtcars():
    table = {"model": [f"Car {i}" for i in range(32)], "mpg": _normal(32, 20, 6), "cyl": np.tile([4, 6, 8, 8], 8)}
    table |= {
        "disp": _normal(32, 230, 120),
        "wt": _normal(32, 3.2, 1, 3),
        "vs": np.tile([0, 1], 16),
        "gear": np.tile([3, 4, 5, 4], 8),
    }
    kinds = {"model": "", "cyl": "number", "wt": "number", "vs": "binary", "gear": "number"}
    return Public(table, "mpg", (), kinds, asked=("groups", "cyl", "gear"))


def _titanic():
    n = 120
    age = np.where(RNG.random(n) < 0.2, np.nan, _normal(n, 30, 14, 0))
    table = {
        "PassengerId": range(1, n + 1),
        "Survived": RNG.integers(0, 2, n),
        "Pclass": np.append([1, 2, 3], RNG.integers(1, 4, n - 3)),
    }
    table |= {
        "Name": [f"Somebody number {i}" for i in range(n)],
        "Sex": np.where(RNG.random(n) < 0.6, "male", "female"),
        "Age": age,
    }
    table |= {"Cabin": [np.nan] * 100 + [f"C{i}" for i in range(20)], "Embarked": RNG.choice(["C", "Q", "S"], n)}
    kinds = {"PassengerId": "", "Name": "", "Cabin": "", "Pclass": "categorical", "Sex": "binary", "Age": "number"}
    return Public(table, "Survived", ("Embarked",), kinds, asked=("groups", "Pclass"))


def _warpbreaks():
    wool, tension, _ = _crossed(["A", "B"], ["L", "M", "H"], range(9))
    table = {"breaks": _whole(54, 10, 70), "wool": wool, "tension": tension}
    return Public(table, "breaks", (), {"breaks": "count", "wool": "binary", "tension": "ordered"}, asked=("groups",))


def _toothgrowth():
    supp, dose, _ = _crossed(["VC", "OJ"], [0.5, 1.0, 2.0], range(10))
    return Public(
        {"len": _normal(60, 19, 7), "supp": supp, "dose": dose},
        "len",
        (),
        {"supp": "binary", "dose": "number"},
        asked=("groups",),
    )


def _insectsprays():
    return Public(
        {"count": _whole(72, 0, 26), "spray": np.repeat(_letters(6), 12)},
        "count",
        ("spray",),
        {"count": "count"},
        asked=("groups",),
    )


def _esoph():
    age, alcohol, tobacco = _crossed(
        ["25-34", "35-44", "45-54", "55-64", "65-74", "75+"],
        ["0-39g/day", "40-79", "80-119", "120+"],
        ["0-9g/day", "10-19", "20-29", "30+"],
    )
    n = len(age)
    table = {"agegp": age, "alcgp": alcohol, "tobgp": tobacco, "ncases": _whole(n, 0, 9), "ncontrols": _whole(n, 0, 60)}
    kinds = {"ncases": "count", "agegp": "ordered", "alcgp": "ordered", "tobgp": "ordered"}
    return Public(table, "ncases", (), kinds, asked=("groups", "ncases"))


def _oats():
    block, variety, nitro = _crossed(
        ["I", "II", "III", "IV", "V", "VI"], ["Golden Rain", "Marvellous", "Victory"], [0, 0.2, 0.4, 0.6]
    )
    table = {"Block": block, "Variety": variety, "nitro": nitro, "yield": _whole(72, 53, 174)}
    return Public(table, "yield", ("Block",), {"Variety": "categorical", "nitro": "number", "yield": "number"})


def _dyestuff():
    return Public(
        {"Batch": np.repeat(_letters(6), 5), "Yield": _whole(30, 1440, 1635)}, "Yield", ("Batch",), {"Yield": "number"}
    )


def _grouseticks():
    brood = np.repeat(range(501, 561), RNG.integers(2, 7, 60))
    n, place = len(brood), (brood - 500) // 2
    height = 400 + place
    table = {"INDEX": range(1, n + 1), "TICKS": np.append(RNG.poisson(4, n - 1), 0), "BROOD": brood, "HEIGHT": height}
    table |= {"YEAR": 95 + place % 3, "LOCATION": place, "cHEIGHT": np.round(height - height.mean(), 4)}
    kinds = {"INDEX": "", "TICKS": "count", "HEIGHT": "number", "YEAR": "number", "cHEIGHT": "number"}
    return Public(table, "TICKS", ("BROOD", "LOCATION"), kinds, asked=("YEAR",))


def _insurance():
    district, group, age = _crossed(range(1, 5), ["<1l", "1-1.5l", "1.5-2l", ">2l"], ["<25", "25-29", "30-35", ">35"])
    table = {
        "District": district,
        "Group": group,
        "Age": age,
        "Holders": _whole(64, 3, 3582),
        "Claims": _whole(64, 0, 400),
    }
    kinds = {"Claims": "count", "Group": "ordered", "Age": "ordered"}
    return Public(table, "Claims", ("District",), kinds, {"exposure": "Holders"}, ("District",))


TABLES = {
    name.removeprefix("_"): make()
    for name, make in list(globals().items())
    if name.startswith("_") and not name.startswith("__") and name not in ("_normal", "_whole", "_crossed", "_letters")
}
