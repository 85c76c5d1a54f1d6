"""The page that leads to all studies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tadpool.files import failures
from tadpool.files.results import StudyResults
from tadpool.formatting import counted, listed
from tadpool.reporting import fit_view
from tadpool.reporting.html.environment import rendered
from tadpool.reporting.pages import study
from tadpool.reporting.sections import answers, conclusions, pooling, run_time
from tadpool.reporting.sections.changes import Changes

ORDER = ("fail", "warn", "pass")


@dataclass(frozen=True)
class Line:
    """One fit of one study. elpd, unreliable, units: its leave-one-out score where it has one and
    did not fail.

    seconds: what its job took, None where no benchmark was recorded.
    """

    study: str
    title: str
    fit: fit_view.Fit
    elpd: float | None
    unreliable: int
    units: int
    seconds: float | None

    @property
    def verdict(self) -> str:
        return _verdict(self.fit)

    @property
    def severity(self) -> int:
        """The place of its verdict in ORDER: 0 is the worst."""
        return ORDER.index(self.verdict)


@dataclass(frozen=True)
class Chapter:
    """One study: its name, title, question with the quantities that answer it, its verdict, the
    model that predicts best, and its fits."""

    name: str
    title: str
    question: str
    answers: list[answers.Shown]
    headline: conclusions.Conclusion
    best: str
    fits: list[fit_view.Fit]

    def having(self, verdict: str) -> int:
        """How many of its fits have this verdict."""
        return sum(_verdict(fit) == verdict for fit in self.fits)

    @property
    def surprising(self) -> bool:
        """Whether a fit failed that was not expected to."""
        return any(fit.surprising for fit in self.fits)


@dataclass(frozen=True)
class Unmade:
    """A study without a page: its name, title and question, why, and whether there is the page of
    an earlier run."""

    name: str
    title: str
    question: str
    reasons: Sequence[str]
    earlier: bool

    @property
    def sentence(self) -> str:
        return f"The page of {self.name} could not be made. The next run tries again."


def index_page(
    studies: Sequence[StudyResults],
    quick: bool = False,
    changes: Mapping[str, Changes] | None = None,
    unmade: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The page as HTML: whether anything failed, every study with its verdict, and all fits, the
    failed ones first.

    Args:
        studies: Their results, in the order of the page.
        quick: Whether this was a quick look, which the page then says.
        changes: By study, from an earlier run, where one is named.
        unmade: After a run that failed, the studies whose page could not be made, and why. Others
            whose results cannot be read are then named too.

    Returns:
        The page.

    Raises:
        UserError: Results cannot be read, where `unmade` is None.
    """
    lost = [_lost(results, unmade) for results in studies] if unmade is not None else []
    without = [each for each in lost if each]
    studies = [results for results in studies if results.study not in {each.name for each in without}]
    chapters = [_chapter(results) for results in studies]
    lines = [_line(results, fit) for results, chapter in zip(studies, chapters, strict=True) for fit in chapter.fits]
    lines.sort(key=lambda line: line.severity)
    verdicts = Counter(line.verdict for line in lines)
    sweeps = [(results, name) for results in studies for name in results.config["sweeps"]]
    failed_sweeps = [f"{r.study}/sweeps/{name}" for r, name in sweeps if r.sweep_check(name)["verdict"] == "fail"]
    doubtful = [chapter.name for chapter in chapters if chapter.headline.tone == "doubt"]
    missing = {results.study: len(results.failures()) for results in studies}
    tone, summary = _summary(lines, failed_sweeps, doubtful, missing)
    if without:
        pages = listed([each.name for each in without])
        tone = "fail"
        summary = (
            f"{'Pages' if len(without) > 1 else 'The page'} of {pages} could not be made. {summary if lines else ''}"
        )
    return rendered(
        "index.html",
        chapters=chapters,
        without=without,
        lines=lines,
        verdicts=verdicts,
        tone=tone,
        summary=summary,
        quick=quick,
        changes=changes or {},
    )


def _lost(results: StudyResults, unmade: Mapping[str, Sequence[str]]) -> Unmade | None:
    """A study without a page; None for one that has it."""
    why = unmade.get(results.study)
    if why is None:
        try:
            index_page([results])
        except Exception as error:
            why = [failures.words(error)]
        else:
            return None
    title, question = results.config["title"], results.config["question"]
    return Unmade(results.study, title, question, why, (results.folder / "index.html").is_file())


def _verdict(fit: fit_view.Fit) -> str:
    return "fail" if fit.failed else fit.verdict


def _chapter(results: StudyResults) -> Chapter:
    found = fit_view.all_fits(results, {})
    compared = conclusions.comparisons(results)
    verdict = study.headline(compared, found, pooling.pooling(results, found))
    best = compared[0].best if compared else "nothing is compared"
    shown, config = answers.answers(results, found), results.config
    return Chapter(results.study, config["title"], config["question"], shown, verdict, best, found)


def _line(results: StudyResults, fit: fit_view.Fit) -> Line:
    tree, seconds = results.loo(fit.entry), run_time.seconds(results, f"{fit.entry}/fit")
    if (fit.failed and not fit.failed_members) or "loo" not in tree.children:
        return Line(results.study, results.config["title"], fit, None, 0, 0, seconds)
    loo = tree["loo"].to_dataset()
    elpd, doubtful = loo["total_elpd"].item(), loo["total_doubtful"].item()
    return Line(results.study, results.config["title"], fit, elpd, doubtful, loo["elpd"].size, seconds)


def _named(line: Line) -> str:
    """A fit that failed, or how many of the separate fits that it is made of."""
    name, apart = f"{line.study}/{line.fit.entry}", line.fit.failed_members
    return f"{len(apart)} of the {line.fit.members} fits of {name}" if apart and line.fit.usable else name


def _summary(
    lines: Sequence[Line], failed_sweeps: Sequence[str], doubtful: Sequence[str], missing: Mapping[str, int]
) -> tuple[str, str]:
    """A tone and the sentence that says whether anything failed. doubtful: studies whose comparison
    is not to be trusted. missing: how many results of each study could not be made."""
    failed = [_named(line) for line in lines if line.fit.failed]
    warned = [f"{line.study}/{line.fit.entry}" for line in lines if line.verdict == "warn"]
    points = f" In {listed(failed_sweeps)} some points failed." if failed_sweeps else ""
    points += f" The comparison of {listed(doubtful)} is not settled (too many unreliable scores)." if doubtful else ""
    unmade = [f"{counted(count, 'result')} of {study}" for study, count in missing.items() if count]
    points += f" {listed(unmade)} could not be made." if unmade else ""
    if failed:
        surprising = any(line.fit.surprising for line in lines)
        of = f"{len(failed)} of {counted(len(lines), 'fit')} failed{'' if surprising else ' as expected'}"
        words = f"{of}: {listed(failed)}. {'Its' if len(failed) == 1 else 'Their'} estimates must not be used.{points}"
        return "fail" if surprising or unmade else "warn", words
    warnings = f"; {counted(len(warned), 'fit')} with warnings: {listed(warned)}" if warned else ""
    tone = "fail" if unmade else "warn" if warned or failed_sweeps or doubtful else "pass"
    passed = f"No fit failed: {len(lines) - len(warned)} of {counted(len(lines), 'fit')} passed every check"
    return tone, f"{passed}{warnings}.{points}"
