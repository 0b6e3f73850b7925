#!/usr/bin/env python3
"""Learns from the labelled schemas which columns are personal, by their names: a logistic regression over words and
parts of words of column and table, the type, what else the table holds, and what the detector says by name.

    bench/pii --answers > tmp/answers.tsv
    tmp/corpus/bin/python bench/corpus/learn.py tmp/answers.tsv [tmp/weights.tsv]

Prints what the detector and the model reach on schemas left out of the training (seven parts, whole schemas apart), and
how small its table of weights can be. Writes the weights, if a path is given. It reads `schemas/tuning` and
`schemas/training` only: the untouched half judges what comes of it, once, and not here.
"""

import collections
import pathlib
import re
import sys
import unicodedata

import numpy
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

SCHEMAS = pathlib.Path(__file__).parent / "schemas"
PERSONAL = 0.5  # from which confidence on the detector calls a column personal
PRECISION = 0.92  # what the threshold is chosen for
STRENGTH = 1.0  # inverse of the regularisation
CLASSES = {
    "varchar": "short", "citext": "short", "text": "long", "json": "json", "jsonb": "json", "integer": "whole", "bigint": "whole",
    "smallint": "whole", "numeric": "decimal", "double": "decimal", "timestamp": "time", "timestamptz": "time", "date": "date",
    "boolean": "boolean", "uuid": "uuid", "inet": "inet", "bytea": "bytes",
}  # fmt: skip

Answer = collections.namedtuple("Answer", "kind sure")
Column = collections.namedtuple("Column", "schema table name type label")


def words(name):
    """The words of a name, without accents, numbers and a plural's s."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    found = [word for word in re.split(r"[^a-z]+", plain.lower()) if word]
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]


def type_class(sql_type):
    base = re.split(r"[(\[]", sql_type)[0]
    return CLASSES.get(base, "other") + ("[]" if sql_type.endswith("[]") else "")


def label(first, second):
    """1 personal, 0 not, None arguable."""
    readings = {first, first if second == "=" else second}
    return 0 if readings == {"-"} else None if readings & {"-", "?"} else 1


def read(part):
    for path in sorted((SCHEMAS / part).glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            table, name, sql_type, _, first, second = line.split("\t")[:6]
            yield Column(path.stem, table, name, sql_type, label(first, second))


def read_answers(path):
    rows = (line.split("\t") for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    return {tuple(row[:3]): Answer(row[3], float(row[4])) for row in rows}


def of_name(column):
    """Features of the column's own name, of its table's and of its type."""
    own, table, kind = words(column.name), words(column.table), type_class(column.type)
    features = {f"type={kind}": 1, "whole=" + "_".join(own): 1}
    for word in own:
        features[f"word={word}"] = 1
        features[f"word={word} {kind}"] = 0.7
        marked = f"^{word}$"
        for length in (3, 4, 5):
            for start in range(len(marked) - length + 1):
                features["part=" + marked[start : start + length]] = 0.5
    for word in table:
        features[f"table={word}"] = 0.7
    for pair in zip(own, own[1:]):
        features["pair=" + "_".join(pair)] = 1
    if own:
        features[f"last={own[-1]}"] = features[f"first={own[0]}"] = 1
        features[f"last={own[-1]} {kind}"] = 0.7
        if table:
            features[f"last={own[-1]} in {table[-1]}"] = 0.7
    return features


def of_table(column, neighbours, answers):
    """Features of what stands beside the column: words, and how many and which personal columns by the detector."""
    own, kind = words(column.name), type_class(column.type)
    features = {f"beside={word}": 0.15 for other in neighbours for word in words(other) if word not in own}
    found = [answers[column.schema, column.table, other] for other in neighbours]
    personal = [answer.kind for answer in found if answer.sure >= PERSONAL]
    for least in (1, 2, 4, 8):
        if len(personal) >= least:
            features[f"persons>={least}"] = features[f"persons>={least} {kind}"] = 0.7
    features |= {f"beside a {kind}": 0.5 for kind in personal}
    if own and len(personal) >= 2:
        features[f"last={own[-1]} of a person"] = 0.7
    features["share"] = len(personal) / max(1, len(neighbours))
    return features


def of_answer(answer):
    """Features of what the detector says of the column."""
    features = {"sure": 2 * answer.sure}
    features |= {f"sure>={least}": 1 for least in (0.3, 0.5, 0.7, 0.85) if answer.sure >= least}
    if answer.kind != "-":
        features[f"kind={answer.kind}"] = 1
    return features


def features(columns, answers):
    tables = collections.defaultdict(list)
    for column in columns:
        tables[column.schema, column.table].append(column.name)
    for column in columns:
        beside = [name for name in tables[column.schema, column.table] if name != column.name]
        answer = answers[column.schema, column.table, column.name]
        yield of_name(column) | of_table(column, beside, answers) | of_answer(answer)


def matrix(train, test):
    """Both as sparse matrices of the features that two columns of the first have at least."""
    counts = collections.Counter(key for row in train for key in row)
    vectorizer = DictVectorizer()
    rows = vectorizer.fit_transform([{key: value for key, value in row.items() if counts[key] > 1} for row in train])
    others = vectorizer.transform(test)
    for sparse in (rows, others):
        sparse.indices, sparse.indptr = sparse.indices.astype("int32"), sparse.indptr.astype("int32")
    return vectorizer.get_feature_names_out(), rows, others


def fit(rows, labels):
    return LogisticRegression(C=STRENGTH, max_iter=500, solver="liblinear").fit(rows, labels)


def reached(labels, said):
    """Recall and precision."""
    right = (labels & said).sum()
    return right / max(1, labels.sum()), right / max(1, said.sum())


def threshold(labels, sure):
    """The one that finds most with the precision asked for."""
    good = [level for level in numpy.arange(0.05, 0.95, 0.01) if reached(labels, sure >= level)[1] >= PRECISION]
    return max(good, key=lambda level: reached(labels, sure >= level)[0], default=0.95)


def quantised(weights, least):
    """Weights from a strength on, in sixteenths."""
    return numpy.where(abs(weights) >= least, numpy.round(weights * 16) / 16, 0)


def left_out(rows, labels, groups):
    """How sure models are of the columns of schemas that they have not seen: whole, and with fewer weights."""
    sure = {least: numpy.zeros(len(labels)) for least in (0, 0.1, 0.2, 0.3, 0.5)}
    sizes = collections.defaultdict(list)
    for train, test in GroupKFold(7).split(rows, labels, groups):
        _, seen, unseen = matrix([rows[i] for i in train], [rows[i] for i in test])
        model = fit(seen, labels[train])
        for least, levels in sure.items():
            weights = quantised(model.coef_[0], least) if least else model.coef_[0]
            levels[test] = 1 / (1 + numpy.exp(-(unseen @ weights + model.intercept_[0])))
            sizes[least].append((weights != 0).sum())
    return sure, {least: int(numpy.mean(found)) for least, found in sizes.items()}


def main(answers_path, weights_path=None):
    answers = read_answers(answers_path)
    every = [*read("tuning"), *read("training")]
    pairs = [(column, row) for column, row in zip(every, features(every, answers)) if column.label is not None]
    rows = [row for _, row in pairs]
    labels = numpy.array([column.label == 1 for column, _ in pairs])
    groups = numpy.array([column.schema for column, _ in pairs])
    said = numpy.array([answers[column[:3]].sure >= PERSONAL for column, _ in pairs])
    print(f"{len(set(groups))} schemas, {len(labels)} columns, {labels.sum()} personal")
    print("{:<34} recall {:.3f} precision {:.3f}".format("detector by name", *reached(labels, said)))
    sure, sizes = left_out(rows, labels, groups)
    for least, levels in sure.items():
        level = threshold(labels, levels)
        what = f"model, {sizes[least]} weights" + (f" of {least} and more" if least else "")
        print("{:<34} recall {:.3f} precision {:.3f} from {:.2f} on".format(what, *reached(labels, levels >= level), level))
    if weights_path:
        names, seen, _ = matrix(rows, rows[:1])
        model = fit(seen, labels)
        weights = quantised(model.coef_[0], 0.2)
        lines = [f"{name}\t{int(weight * 16)}" for name, weight in zip(names, weights) if weight]
        pathlib.Path(weights_path).write_text("\n".join([f"\t{round(model.intercept_[0] * 16)}", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
