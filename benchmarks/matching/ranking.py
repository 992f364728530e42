"""Ranks a collection of documents for a collection of needs through the portal's own matching.

    python benchmarks/matching/run.py --docs docs.jsonl --queries queries.jsonl --out run.tsv [--qrels qrels.tsv]

The documents are loaded as active offers and the queries as open needs, each part of a query as a line, into a
throw-away database. The run is written as need, document, rank, score. With --qrels the figures are printed beside those of
BM25 in the same run: nDCG@10 (gain 2^grade - 1), MRR and recall@20 (grade 2 and 3 are relevant), over the needs that have a
relevant document, and recall@20 of the relevant documents in other languages than the need.
"""

import argparse
import csv
import io
import json
import re
import time
from collections import defaultdict
from math import log2
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from benchmarks.database import throw_away
from benchmarks.matching.bm25 import BM25
from partners.models import Country, Partner, User
from projects import matching
from projects.choices import Matched, NeedState, OfferState
from projects.matching import meaning, reading
from projects.models import LineItem, Need, Offer

DEPTH = 100
TITLE, LINE, SUMMARY, DESCRIPTION = 200, 300, 2000, 8000  # what the fields hold


def read(path: str) -> list[dict]:
    with Path(path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def parts(text: str) -> list[str]:
    """The lines of a need: what stands between semicolons, bars and line ends."""
    return [part.strip() for part in re.split(r"[;|\n]", text) if len(part.strip()) > 3]


def load(docs: list[dict], queries: list[dict]) -> tuple[dict[int, str], dict[str, Need]]:
    """{offer's key: doc_id} and {need_id: need}."""
    now, by = timezone.now(), User.objects.system()
    partner = Partner.objects.create(slug="collection", name_en="Collection", kind="10")
    offers = [
        Offer(
            reference=f"O-{n}", partner=partner, language=(doc.get("lang") or "en")[:2], title=doc["title"][:TITLE] or "-",
            summary="; ".join([doc["title"][TITLE:], *(doc.get("labels") or [])]).strip("; ")[:SUMMARY], description=doc["text"][:DESCRIPTION],
            state=OfferState.ACTIVE, published_at=now,
        )
        for n, doc in enumerate(docs)
    ]  # fmt: skip
    Offer.objects.bulk_create(offers, batch_size=1000)
    anywhere = Country.objects.get(iso3="KEN")
    countries = {c.iso3: c for c in Country.objects.all()}
    needs = [
        Need(
            reference=f"N-{n}", country=countries.get(query.get("country_iso3"), anywhere), kind=query.get("kind") or "capacity",
            language=(query.get("lang") or "en")[:2], title=query["text"][:TITLE], public_summary=query["text"][:SUMMARY],
            state=NeedState.OPEN, published_at=now, published_by=by, summary_approved_at=now, summary_approved_by=by,
        )
        for n, query in enumerate(queries)
    ]  # fmt: skip
    Need.objects.bulk_create(needs)
    LineItem.objects.bulk_create(
        LineItem(need=need, position=place, text=part[:LINE])
        for need, query in zip(needs, queries, strict=True)
        for place, part in enumerate(parts(query["text"]))
    )
    return (
        {offer.pk: doc["doc_id"] for offer, doc in zip(offers, docs, strict=True)},
        {query["need_id"]: need for need, query in zip(needs, queries, strict=True)},
    )


# --- figures ---------------------------------------------------------------------------------------------------------
def judge(run: dict[str, list[str]], grades: dict[str, dict[str, int]], language: dict[str, str], own: dict[str, str]):
    """(nDCG@10, MRR, recall@20, recall@20 in other languages, needs judged)."""
    totals, other, needs = [0.0, 0.0, 0.0], [0, 0], 0
    for need, graded in grades.items():
        relevant = {doc for doc, grade in graded.items() if grade >= 2}
        if not relevant or need not in run:
            continue
        needs += 1
        ranked = run[need]
        gain = sum((2 ** graded.get(doc, 0) - 1) / log2(place + 2) for place, doc in enumerate(ranked[:10]))
        best = sum((2**g - 1) / log2(place + 2) for place, g in enumerate(sorted(graded.values(), reverse=True)[:10]))
        totals[0] += gain / best
        totals[1] += next((1 / (place + 1) for place, doc in enumerate(ranked) if doc in relevant), 0)
        totals[2] += len(relevant & set(ranked[:20])) / len(relevant)
        foreign = {doc for doc in relevant if language[doc] != own[need]}
        other[0] += len(foreign & set(ranked[:20]))
        other[1] += len(foreign)
    return (*(total / max(needs, 1) for total in totals), other[0] / other[1] if other[1] else None, needs)


def tell(name: str, figures) -> None:
    ndcg, mrr, recall, other, needs = figures
    said = "none judged" if other is None else f"{other:.3f}"
    print(
        f"{name:<10} nDCG@10 {ndcg:.3f}  MRR {mrr:.3f}  recall@20 {recall:.3f}  in other languages {said}  ({needs} needs)"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--qrels", help="need, document, grade, apart by tabs")
    parser.add_argument("--without-meaning", action="store_true", help="as the portal is without the optional extra")
    arguments = parser.parse_args()
    if arguments.without_meaning:
        meaning.is_installed = lambda: False
    docs, queries = read(arguments.docs), read(arguments.queries)
    print(f"meaning of texts: {'on' if meaning.is_installed() else 'off (make meaning)'}", flush=True)
    with throw_away():
        call_command("load_reference", stdout=io.StringIO())
        names, needs = load(docs, queries)
        start = time.perf_counter()
        reading.refresh(Matched.OFFER)
        reading.refresh(Matched.NEED)
        print(f"read {len(docs)} documents and {len(queries)} needs in {time.perf_counter() - start:.1f} s", flush=True)
        start, run = time.perf_counter(), {}
        with Path(arguments.out).open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, delimiter="\t", lineterminator="\n")
            for need_id, need in needs.items():
                found = matching.offers_for(need, limit=DEPTH)
                run[need_id] = [names[match.record] for match in found]
                for place, match in enumerate(found, 1):
                    out.writerow([need_id, names[match.record], place, f"{match.score:.5f}"])
        print(f"ranked in {(time.perf_counter() - start) / max(len(queries), 1) * 1000:.0f} ms for each need")
    if arguments.qrels:
        grades: dict[str, dict[str, int]] = defaultdict(dict)
        with Path(arguments.qrels).open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="\t"):
                if len(row) >= 3 and row[2].lstrip("-").isdigit():
                    grades[row[0]][row[1]] = int(row[2])
        language = {doc["doc_id"]: (doc.get("lang") or "en")[:2] for doc in docs}
        own = {query["need_id"]: (query.get("lang") or "en")[:2] for query in queries}
        ranker = BM25({doc["doc_id"]: f"{doc['title']} {doc['text']}" for doc in docs})
        plain = {query["need_id"]: ranker.rank(query["text"])[:DEPTH] for query in queries}
        base, ours = judge(plain, grades, language, own), judge(run, grades, language, own)
        tell("BM25", base)
        tell("portal", ours)
        print(f"nDCG@10 {(ours[0] / base[0] - 1) * 100:+.0f} % against BM25")
