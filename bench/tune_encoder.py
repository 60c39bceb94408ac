"""Tunes the two sentence encoders to what visitors of a skin clinic write, on the training data alone.

    pip install torch==2.13.0 && python -m bench.tune_encoder topics    # bot/nlu/encoder_tuning.npz
    python -m bench.tune_encoder danger                                 # bot/nlu/danger_tuning.npz

Each matrix of an encoder gets a difference of low rank (LoRA, Hu et al. 2021). That of `topics` learns to tell topics apart, and
dangers from what only looks like them; the difference is applied by half (Wortsman et al. 2022, "Robust fine-tuning"), which
keeps what the encoder knows of other matters. That of `danger` learns dangers only, each alone and beside a harmless message,
and is applied in full, with the layer that tells them apart. Two thirds of the examples are learned from: what `bench.fit` and
`bench.fit_safety` fit is fitted on the others. torch is needed here only. A run takes six and fifteen minutes on two cores.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from bench.examples import JOINTS, labelled, tuned_on
from bot.nlu import encoder_build, safety_net
from bot.nlu.safety import SafetyGate
from bot.nlu.safety_net import NONE
from bot.nlu.text import plain

SEED = 0
BATCH, LONGEST = 64, 64
RATE, RATE_OF_HEADS, WARM_UP = 1e-3, 1e-2, 100
# Cosines are too small to tell topics apart: the heads see them so many times larger.
SCALE = 10.0
SAFETY = Path("data/safety")


class Task(NamedTuple):
    """Texts, the label of each, and what the labels are."""

    texts: list[str]
    labels: list[str]
    names: list[str]


class Recipe(NamedTuple):
    """What an encoder learns and how.

    `share` is how much of the difference is applied, `beside` whether a danger is also learned beside a harmless message, and
    `keeps_head` whether the layer that tells the first task's labels apart is kept.
    """

    tasks: Callable[[], list[Task]]
    target: Path
    rank: int
    share: float
    epochs: int
    smoothing: float
    beside: bool
    keeps_head: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", choices=RECIPES)
    recipe = RECIPES[parser.parse_args().encoder]
    tasks = recipe.tasks()
    for task in tasks:
        print(f"{len(task.texts)} examples of {len(task.names)} labels", flush=True)
    np.savez_compressed(recipe.target, **_tune(tasks, recipe))


def _topics() -> list[Task]:
    examples = labelled()
    return [_task([plain(text) for text, _ in examples], [label for _, label in examples]), *_dangers()]


def _dangers() -> list[Task]:
    return [_task(*safety_net.learned(safety_net.examples(SafetyGate.load(SAFETY), labelled(), SAFETY)))]


def _task(texts: Sequence[str], labels: Sequence[str]) -> Task:
    pairs = sorted({pair for pair in zip(texts, labels, strict=True) if tuned_on(pair[0])})
    return Task([text for text, _ in pairs], [label for _, label in pairs], sorted(set(labels)))


def _tune(tasks: list[Task], recipe: Recipe) -> dict[str, Any]:
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    model = _Encoder(recipe.rank)
    heads = [nn.Linear(model.hidden, len(task.names)) for task in tasks]
    of_heads = [parameter for head in heads for parameter in head.parameters()]
    groups = [{"params": model.factors, "lr": RATE}, {"params": of_heads, "lr": RATE_OF_HEADS}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    batches = list(_batches(tasks, recipe, chance))

    def rate(step: int) -> float:
        return min(1, step / WARM_UP) * (1 - step / len(batches))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    losses: list[float] = []
    for step, (place, texts, labels) in enumerate(batches, 1):
        loss = cross_entropy(heads[place](model(texts) * SCALE), torch.tensor(labels), label_smoothing=recipe.smoothing)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.factors, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % 100 == 0:
            print(f"{step} of {len(batches)}: loss {np.mean(losses[-100:]):.3f}", flush=True)
    tuning = model.tuning(recipe.share)
    if recipe.keeps_head:
        weights, offsets = (value.detach().numpy() for value in (heads[0].weight * SCALE, heads[0].bias))
        tuning |= {"head:labels": np.array(tasks[0].names), "head:weights": weights, "head:offsets": offsets}
    return tuning


def _batches(tasks: list[Task], recipe: Recipe, chance: random.Random) -> Iterator[tuple[int, list[str], list[int]]]:
    """Batches of one task each, of texts of about the same length, the tasks and lengths mixed."""
    for _ in range(recipe.epochs):
        batches = []
        for place, task in enumerate(tasks):
            examples = list(zip(task.texts, task.labels, strict=True))
            if recipe.beside:
                examples += _beside_harmless(examples, chance)
            # Sorted by length and a little chance: other batches each time.
            examples.sort(key=lambda example: len(example[0]) * chance.uniform(0.8, 1.25))
            for start in range(0, len(examples), BATCH):
                part = examples[start : start + BATCH]
                batches.append((place, [text for text, _ in part], [task.names.index(label) for _, label in part]))
        chance.shuffle(batches)
        yield from batches


def _beside_harmless(examples: list[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    """Each danger before or after a harmless message, and half as many pairs of harmless ones, as length tells of nothing."""
    harmless = [text for text, label in examples if label == NONE]
    dangers = [example for example in examples if example[1] != NONE]
    some = [(text, NONE) for text in chance.sample(harmless, len(dangers) // 2)]
    pairs = [(*chance.sample([text, chance.choice(harmless)], 2), label) for text, label in dangers + some]
    return [(first + chance.choice(JOINTS) + second, label) for first, second, label in pairs]


class _Encoder:
    """The encoder of bot/nlu/encoder_build.py in torch, with differences of low rank that learn."""

    def __init__(self, rank: int) -> None:
        import torch

        weights, config = encoder_build.published()
        self._weights = {name: torch.from_numpy(value) for name, value in weights.items()}
        self.hidden: int = config["hidden_size"]
        self._layers, self._heads = config["num_hidden_layers"], config["num_attention_heads"]
        self._epsilon = config["layer_norm_eps"]
        self._tokenizer = Tokenizer.from_str(encoder_build.tokenizer().read_text())
        self._tokenizer.enable_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._down, self._up = {}, {}
        for name, weight in self._weights.items():
            if name.startswith("encoder.layer.") and weight.ndim == 2:
                wide, narrow = weight.shape
                self._down[name] = (torch.randn(rank, narrow) / math.sqrt(narrow)).requires_grad_()
                self._up[name] = torch.zeros(wide, rank, requires_grad=True)
        self.factors = [*self._down.values(), *self._up.values()]

    def __call__(self, texts: list[str]) -> Any:
        """Unit vectors, of shape [texts, hidden]."""
        import torch
        from torch.nn.functional import gelu, normalize, scaled_dot_product_attention

        encoded = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([text.ids for text in encoded])
        mask = torch.tensor([text.attention_mask for text in encoded], dtype=torch.bool)
        w, (count, length) = self._weights, ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = self._normalised("embeddings.LayerNorm", x + w["embeddings.token_type_embeddings.weight"][0])
        for number in range(self._layers):
            layer = f"encoder.layer.{number}."
            parts = [self._linear(f"{layer}attention.self.{part}", x) for part in ("query", "key", "value")]
            query, key, value = (part.view(count, length, self._heads, -1).transpose(1, 2) for part in parts)
            mixed = scaled_dot_product_attention(query, key, value, mask[:, None, None, :])
            attended = self._linear(f"{layer}attention.output.dense", mixed.transpose(1, 2).reshape(count, length, -1))
            x = self._normalised(f"{layer}attention.output.LayerNorm", attended + x)
            wide = gelu(self._linear(f"{layer}intermediate.dense", x))
            x = self._normalised(f"{layer}output.LayerNorm", self._linear(f"{layer}output.dense", wide) + x)
        shown = mask[..., None]
        return normalize((x * shown).sum(1) / shown.sum(1))

    def tuning(self, share: float) -> dict[str, Any]:
        """The two factors of each matrix's difference, of which a share is applied."""
        return {
            f"{part}:{name}": value.detach().numpy().astype(np.float16)
            for name in self._down
            for part, value in (("down", self._down[name]), ("up", self._up[name] * share))
        }

    def _linear(self, name: str, x: Any) -> Any:
        from torch.nn.functional import linear

        weight, bias = f"{name}.weight", f"{name}.bias"
        learned = linear(linear(x, self._down[weight]), self._up[weight])
        return linear(x, self._weights[weight], self._weights[bias]) + learned

    def _normalised(self, name: str, x: Any) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(x, (self.hidden,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], self._epsilon)


RECIPES = {
    "topics": Recipe(_topics, encoder_build.TUNING, rank=8, share=0.5, epochs=2, smoothing=0.1, beside=False, keeps_head=False),
    "danger": Recipe(
        _dangers, encoder_build.DANGER_TUNING, rank=16, share=1.0, epochs=2, smoothing=0.05, beside=True, keeps_head=True
    ),
}


if __name__ == "__main__":
    main()
