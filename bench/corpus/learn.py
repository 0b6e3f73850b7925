#!/usr/bin/env python3
"""Learns from the labelled schemas which columns are personal: two sums of weights, and a third for the kind.

    bench/pii --features > tmp/features.tsv
    tmp/corpus/bin/python bench/corpus/learn.py tmp/features.tsv [ext/personal_data/src/names/weights.tsv]

The detector itself says what features a column has, so nothing of it is written twice. The first sum is of what its name,
type, table and neighbours are; the second of what its values show, and of the first; the third of the first's features
again. Prints what they reach on schemas left out of the training (seven parts, whole schemas apart), and writes the
weights, if a path is given: the same ones every time from the same features. `--features` reads `schemas/tuning`,
`schemas/training` and `schemas/written` only: the untouched half judges what comes of it, and not here.
"""

import collections
import hashlib
import pathlib
import sys

import numpy
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

PARTS = 7  # of schemas, each left out once
PRECISION = {"named": 0.87, "seen": 0.865}  # what the thresholds are chosen for, where a single reading counts as right
STRENGTH = {"named": 0.5, "seen": 0.3, "kind": 1.0}  # inverse of the regularisation
LEAST = {"named": 0.15, "seen": 0.03, "kind": 0.5}  # weights below are left out
KINDS_OF = ("bias", "type=", "word=", "last=", "table=", "part=", "says ", "about ", "of ", "class=", "last class=")
ONE = 20  # a feature that is there, as the detector writes it
UNIT = 16  # a weight of one, in the table


class Columns:
    """What `bench/pii --features` printed."""

    def __init__(self, path):
        folder = pathlib.Path(__file__).parent / "schemas"
        written = [path.stem for path in folder.glob("written/*.tsv")]
        read = [*folder.glob("tuning/*.tsv"), *folder.glob("training/*.tsv")]
        twice = [path.stem for path in read if is_read_twice(path)]
        self.all, self.named, self.seen, self.kinds, self.schemas = [], [], [], [], []
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            head, _, seen = line.partition("\t\t")
            schema, _, _, label, *named = head.split("\t")
            self.all.append(values(named))
            if label != "?":
                self.named.append(values(named))
                self.seen.append(values(seen.split("\t")) | {"odds": 0})
                self.kinds.append(label)
                self.schemas.append(schema)
        self.kinds, self.schemas = numpy.array(self.kinds), numpy.array(self.schemas)
        self.personal = self.kinds != "-"
        self.read_twice = numpy.isin(self.schemas, twice)
        self.written = numpy.isin(self.schemas, written)
        self.by_rule = numpy.array([any(key.startswith("found=") for key in row) for row in self.named])


def is_read_twice(path):
    """A second reading of a whole schema, not of some of its columns."""
    second = [line.split("\t")[5] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return "=" not in second


def values(fields):
    found = collections.Counter()
    for field in fields:
        name, _, value = field.rpartition(" ")
        found[name] += int(value) / ONE
    return dict(found)


def narrow(sparse):
    sparse.indices, sparse.indptr = sparse.indices.astype("int32"), sparse.indptr.astype("int32")
    return sparse


class Rows:
    """Columns' features as numbers, made once: a row for each column, a place for each feature that some columns have."""

    def __init__(self, rows, least=3):
        counts = collections.Counter(key for row in rows for key in row)
        self.vectorizer = DictVectorizer()
        known = [{key: value for key, value in row.items() if counts[key] >= least} for row in rows]
        self.values = narrow(self.vectorizer.fit_transform(known))
        self.names = self.vectorizer.get_feature_names_out()

    def of(self, rows):
        return narrow(self.vectorizer.transform(rows))


class Sum:
    """A logistic regression, its weights rounded as the table has them; `taught` are the places that it learns from."""

    def __init__(self, rows, labels, what, taught=None):
        taught = numpy.arange(len(labels)) if taught is None else taught
        values = narrow(rows.values[taught])
        model = LogisticRegression(C=STRENGTH[what], max_iter=1000, solver="liblinear", random_state=0)
        found = model.fit(values, labels[taught]).coef_[0]
        self.weights = numpy.where(abs(found) >= LEAST[what], numpy.round(found * UNIT), 0)
        self.bias = round(float(model.intercept_[0]) * UNIT)
        self.names = rows.names

    def odds(self, values):
        return (values @ self.weights + self.bias) / UNIT

    def shift(self, odds):
        """Makes nought of the odds from which on a column shall be called personal."""
        self.bias -= round(odds * UNIT)


def with_odds(rows, odds):
    return [row | {"odds": max(-8.0, min(8.0, float(level)))} for row, level in zip(rows, odds)]


def left_out(rows, columns, what):
    """The odds of columns of schemas that a sum has not seen. Those written for it teach, and are not asked."""
    labels, odds = columns.personal, numpy.zeros(len(columns.personal))
    public, written = numpy.flatnonzero(~columns.written), numpy.flatnonzero(columns.written)
    for train, test in GroupKFold(PARTS).split(public, groups=columns.schemas[public]):
        taught, asked = numpy.concatenate([public[train], written]), public[test]
        odds[asked] = Sum(rows, labels, what, taught).odds(rows.values[asked])
    return odds


def reached(labels, said):
    """Recall and precision."""
    right = (labels & said).sum()
    return right / max(1, labels.sum()), right / max(1, said.sum())


def threshold(labels, said, judges, precision):
    """The odds that find most with the precision asked for."""
    levels = numpy.arange(-3.0, 4.0, 1 / UNIT)
    figures = {level: reached(labels[judges], said(level)[judges]) for level in levels}
    good = [level for level in levels if figures[level][1] >= precision]
    return max(good, key=lambda level: figures[level][0], default=levels[-1])


def lines_of(found, bias):
    pairs = sorted((name, int(weight)) for name, weight in zip(found.names, found.weights) if weight)
    return [f"{name}\t{weight}" for name, weight in [(bias, found.bias), *pairs] if weight]


def kinds(columns):
    """Weights of each kind against all others, of the columns that are personal."""
    places = numpy.flatnonzero(columns.personal)
    rows = [{key: value for key, value in columns.named[i].items() if key.startswith(KINDS_OF)} for i in places]
    rows, labels = Rows(rows), columns.kinds[places]
    lines = []
    for kind in sorted(set(labels)):
        found = Sum(rows, labels == kind, "kind")
        pairs = zip(["bias", *found.names], [found.bias, *found.weights])
        lines += [f"{name}\t{kind}\t{int(weight)}" for name, weight in pairs if weight]
    return sorted(lines)


def show(what, labels, said, of):
    print("{:<34} recall {:.3f} precision {:.3f}".format(what, *reached(labels[of], said[of])))


def main(features_path, weights_path=None):
    columns = Columns(features_path)
    labels, judges, public = columns.personal, columns.read_twice, ~columns.written
    print(f"{len(set(columns.schemas[public]))} schemas, {public.sum()} columns, {labels[public].sum()} personal")
    show("rules, by name", labels, columns.by_rule, public)
    rows = Rows(columns.named)
    odds = named_odds = left_out(rows, columns, "named")
    found = lambda level: (named_odds >= level) | columns.by_rule & (named_odds >= level - 1)
    level = threshold(labels, found, public, PRECISION["named"])
    show(f"model, by name, from {level:.2f} on", labels, odds >= level, public)
    found = found(level)
    show("the same, or what rules say", labels, found, public)
    show(f"of schemas that were read twice ({len(set(columns.schemas[judges]))})", labels, found, judges)
    named, named_rows = Sum(rows, labels, "named"), rows
    named.shift(level)
    seen_rows = Rows(with_odds(columns.seen, odds - level))
    odds = left_out(seen_rows, columns, "seen")
    level = threshold(labels, lambda level: found | (odds >= level), public, PRECISION["seen"])
    show(f"model, both, from {level:.2f} on", labels, odds >= level, public)
    both = found | (odds >= level)
    show("the same, or by name", labels, both, public)
    show("of schemas that were read twice", labels, both, judges)
    seen = Sum(seen_rows, labels, "seen", numpy.flatnonzero(public))
    seen.shift(level)
    print("weights:", (named.weights != 0).sum(), "by name,", (seen.weights != 0).sum(), "by values")
    if weights_path:
        head = [
            "# Made by bench/corpus/learn.py, in sixteenths: of being personal by name and by values, and of each kind.",
            "# digest of the features: " + hashlib.sha256(pathlib.Path(features_path).read_bytes()).hexdigest(),
            f"# sum by name: {round(float(named.odds(named_rows.of(columns.all)).sum() * UNIT * ONE))}",
        ]
        lines = [*head, *lines_of(named, "bias"), *lines_of(seen, "seen bias"), *kinds(columns)]
        pathlib.Path(weights_path).write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(len(lines), "lines,", pathlib.Path(weights_path).stat().st_size, "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
