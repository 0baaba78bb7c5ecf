"""Train the cross-encoder that reads a question and a sentence together, `index/embedding/cross_encoder.safetensors`.

    pip install torch
    python -m benchmarks.train_cross_encoder --qa FOLDER [--steps 1000] [--write]

qa: the files named in WEIGHTS, JSON lines of questions over passages (q, ctx, y, and where they are known `ans`, the
place of the answer, or `golds`, those of the sentences that hold it).

The upper layers of all-MiniLM-L6-v2 are moved by low-rank products (Hu et al. 2021, "LoRA"), the rest stays as it is.
An example is a question with a sentence that answers it and the other sentence of its passage that has most of its
words, or of a near miss two that have most; the loss is that of choosing among them and "none of them". From a passage
whose question is answered, the answering sentence is left out now and then: what is left is a near miss. A thousand
steps of 20 questions take some quarter of an hour on one core whose processor computes in bfloat16.

But: the weights that ship were trained by a first version of this, and chance decides the order: another run gives
others. What they are worth is measured where they are used, by `benchmarks.fit_reader`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.question.asked import leans
from benchmarks.command import heed_signals, tell
from benchmarks.reading_sets import raise_sentences
from index.embedding.bert import HEADS, LAYERS
from index.embedding.cross_encoder import LEARNT_FILE, MOST_QUESTION_TOKENS, MOST_TOKENS, frame_pair
from index.embedding.encoder import open_tokenizer
from index.embedding.weights import open_weights
from index.library import finish
from index.settings import Settings
from index.splitting.sentences import find_sentences

FIRST_MOVED = 2  # of the layers
RANK = 24
SCALE = 2.0  # of the products
QUESTIONS = 20  # a step
CHOICES = 2  # sentences of a question
LEFT_OUT = 0.2  # of the answered questions whose answering sentence is left out
RATE, LEAST_RATE, WARM_UP = 1.2e-3, 0.02, 80
LENGTHS = (32, 48, 64, 88, MOST_TOKENS)  # tokens that the pairs of a step are padded to
# How often a question of a file is taken, beside those of others.
WEIGHTS = {"unansq": 2.2, "nqg_pairs": 2.2, "nqg_rest": 0.5, "squad_train13": 0.9, "qamr": 0.25, "policyqa": 0.3}
WEIGHTS["covidqa"] = 1.2
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
Example = tuple[str, list[tuple[str, bool]]]
Pair = tuple[list[int], int, bool]  # its tokens, how many of them are of the question, whether it answers


def main() -> None:
    """Read, train, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--qa", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    heed_signals()
    questions = [(weight, row) for name, weight in WEIGHTS.items() for row in read_rows(given.qa / f"{name}.jsonl")]
    learnt = train(questions, given.steps)
    if given.write:
        from safetensors.numpy import save_file

        save_file(learnt, LEARNT_FILE)


# -- examples ---------------------------------------------------------------------------------


def read_rows(file: Path) -> list[dict[str, Any]]:
    """A file's questions, each with its passage's sentences and which of them answer."""
    rows = []
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        text = raise_sentences(row["ctx"], file.stem)
        spans = [row["ans"]] if row.get("ans") else row.get("golds") or []
        sentences = find_sentences(text)
        right = [row["y"] and any(a < s.end and b > s.start for a, b in spans) for s in sentences]
        if sentences and (any(right) or not row["y"]):
            rows.append({"q": row["q"], "sentences": write_sentences(text, sentences), "right": right})
    return rows


def write_sentences(text: str, sentences: Sequence[Any]) -> list[str]:
    """The sentences in one line each; one that leans on the one before, behind it."""
    lines = [" ".join(text[s.start : s.end].split()) for s in sentences]
    before = ["", *lines]
    return [f"{before[i][-250:]} {line}".strip() if leans(line) else line for i, line in enumerate(lines)]


def draw(row: dict[str, Any], chance: random.Random) -> Example:
    """A question with its choices, the answering one first if there is any."""
    asked = set(re.findall(r"\w{3,}", row["q"].lower()))
    wrong = [text for text, right in zip(row["sentences"], row["right"], strict=True) if not right]
    wrong.sort(key=lambda text: 2 * chance.random() - len(asked & set(re.findall(r"\w{3,}", text.lower()))))
    right = [text for text, answers in zip(row["sentences"], row["right"], strict=True) if answers]
    if right and (len(wrong) < CHOICES or chance.random() >= LEFT_OUT):
        return row["q"], [(chance.choice(right), True), *((text, False) for text in wrong[: CHOICES - 1])]
    return row["q"], [(text, False) for text in wrong[:CHOICES]]


# -- training ---------------------------------------------------------------------------------


def train(questions: Sequence[tuple[float, dict[str, Any]]], steps: int) -> dict[str, Any]:
    """The tensors that were learnt, by name, as `index.embedding.cross_encoder` reads them."""
    import torch
    from safetensors.torch import load

    settings = Settings.from_environment()
    weights = finish(open_weights(settings.cache_folder))
    tokenizer = open_tokenizer(weights.tokenizer)
    tensors = load(weights.model)
    torch.manual_seed(0)
    chance = random.Random(0)
    learnt = make_learnt(torch, tensors)
    optimizer = torch.optim.AdamW(learnt.values(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            min(1.0, (step + 1) / WARM_UP)
            * (LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * min(1.0, step / steps))) / 2)
        ),
    )
    waiting: dict[int, list[list[Pair]]] = defaultdict(list)
    weighed = [weight for weight, _ in questions]
    done, mean = 0, 1.0
    while done < steps:
        (_, row), *_ = chance.choices(questions, weighed)
        question, choices = draw(row, chance)
        pairs = [(*tokenise(tokenizer, question, text), right) for text, right in choices]
        length = next(length for length in LENGTHS if all(len(ids) <= length for ids, _, _ in pairs))
        waiting[length].append(pairs)
        if len(waiting[length]) < QUESTIONS:
            continue
        loss = measure_loss(torch, tensors, learnt, waiting.pop(length), length)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(learnt.values()), 1.0)
        optimizer.step()
        schedule.step()
        done, mean = done + 1, 0.98 * mean + 0.02 * float(loss.detach())
        if done % 50 == 0:
            tell(f"step {done} of {steps}, loss {mean:.3f}")
    halves = {name: value.detach().half().numpy() for name, value in learnt.items()}
    return {name: value * (SCALE if name.endswith(".up") else 1) for name, value in halves.items()}


def make_learnt(torch: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    """What is to be learnt, as it is before: products that are nothing, and a readout by chance."""
    learnt = {}
    for layer in range(FIRST_MOVED, LAYERS):
        for matrix in MATRICES:
            name = f"encoder.layer.{layer}.{matrix}"
            outer, inner = tensors[f"{name}.weight"].shape
            learnt[f"{name}.down"] = torch.randn(inner, RANK) / math.sqrt(inner)
            learnt[f"{name}.up"] = torch.zeros(RANK, outer)
    width = 2 * tensors["embeddings.word_embeddings.weight"].shape[1]
    learnt["readout.inner.weight"] = torch.randn(width, 64) / math.sqrt(width)
    learnt["readout.inner.bias"], learnt["readout.outer.bias"] = torch.zeros(64), torch.zeros(1)
    learnt["readout.outer.weight"] = torch.randn(64, 1) / 8
    return {name: value.requires_grad_() for name, value in learnt.items()}


def tokenise(tokenizer: Any, question: str, text: str) -> tuple[list[int], int]:
    """The tokens of a pair, and how many of them are of the first."""
    asked, said = (e.ids for e in tokenizer.encode_batch([question, text], add_special_tokens=False))
    return frame_pair(asked[:MOST_QUESTION_TOKENS], said)


def measure_loss(
    torch: Any,
    tensors: dict[str, Any],
    learnt: dict[str, Any],
    examples: list[list[tuple[list[int], int, bool]]],
    length: int,
) -> Any:
    """The mean surprise at what is right among each question's choices and none of them."""
    rows = [pair for pairs in examples for pair in (*pairs, *([pairs[-1]] * (CHOICES - len(pairs))))]
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    second, mask = torch.zeros_like(ids), torch.zeros(len(rows), length)
    for number, (tokens, first, _) in enumerate(rows):
        ids[number, : len(tokens)] = torch.tensor(tokens)
        second[number, first : len(tokens)] = 1
        mask[number, : len(tokens)] = 1
    scores = score(torch, tensors, learnt, ids, second, mask).reshape(-1, CHOICES)
    given = torch.tensor([[n < len(pairs) for n in range(CHOICES)] for pairs in examples])
    right = torch.tensor([[n < len(pairs) and pairs[n][2] for n in range(CHOICES)] for pairs in examples])
    none = torch.zeros(len(examples), 1)
    scores = torch.cat([none, scores.masked_fill(~given, -1e9)], 1)
    wanted = torch.cat([~right.any(1, keepdim=True), right], 1)
    return -torch.logsumexp(torch.log_softmax(scores, -1).masked_fill(~wanted, -1e9), -1).mean()


def score(torch: Any, tensors: dict[str, Any], learnt: dict[str, Any], ids: Any, second: Any, mask: Any) -> Any:
    """The log odds of each pair: `index.embedding.bert` in operations that can be differentiated, with dropout."""
    functional = torch.nn.functional
    half = torch.bfloat16

    def linear(x: Any, name: str) -> Any:
        y = functional.linear(x, tensors[f"{name}.weight"].to(half), tensors[f"{name}.bias"].to(half))
        if (down := learnt.get(f"{name}.down")) is not None:
            y = y + SCALE * ((x @ down.to(half)) @ learnt[f"{name}.up"].to(half))
        return y

    def normalise(x: Any, name: str) -> Any:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return functional.layer_norm(x.float(), weight.shape, weight, bias, 1e-12).to(half)

    def part(x: Any) -> Any:
        return x.reshape(*ids.shape, HEADS, -1).transpose(1, 2)

    places = tensors["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = tensors["embeddings.word_embeddings.weight"][ids] + places
    x = normalise(x + tensors["embeddings.token_type_embeddings.weight"][second], "embeddings.LayerNorm")
    bias = ((1 - mask)[:, None, None, :] * -1e9).to(half)
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (part(linear(x, f"{layer}.{matrix}")) for matrix in MATRICES[:3])
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        attended = linear(attended.transpose(1, 2).reshape(x.shape), f"{layer}.{MATRICES[3]}")
        x = normalise(x + attended, f"{layer}.attention.output.LayerNorm")
        inner = functional.gelu(linear(x, f"{layer}.{MATRICES[4]}"))
        inner = functional.dropout(inner, 0.1) if number >= FIRST_MOVED else inner
        x = normalise(x + linear(inner, f"{layer}.{MATRICES[5]}"), f"{layer}.output.LayerNorm")
    x = x.float()
    mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    pair = functional.dropout(torch.cat([x[:, 0], mean], -1), 0.2)
    inner = functional.gelu(pair @ learnt["readout.inner.weight"] + learnt["readout.inner.bias"])
    return (inner @ learnt["readout.outer.weight"])[:, 0] + learnt["readout.outer.bias"][0]


if __name__ == "__main__":
    main()
