"""The sentence encoder all-MiniLM-L6-v2, run by ONNX Runtime: one tuned to topics, and one that tells dangers from all else."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vector = npt.NDArray[np.float32]

DIMENSIONS = 384
MODEL, DANGER_MODEL = "encoder.onnx", "danger.onnx"
TOKENIZER = "tokenizer.json"
# Where the file of the second has the names of what it tells apart, with commas between them.
LABELS = "labels"
# Longer texts are cut: a question fits, and the time of a turn stays bounded.
MAX_TOKENS = 128


class EncoderMissing(Exception):
    """The encoder's files are not where they are expected; `make setup` builds them."""


class _Network:
    """A network that takes the tokens of one text."""

    def __init__(self, folder: Path, model: str) -> None:
        if not (folder / model).is_file() or not (folder / TOKENIZER).is_file():
            raise EncoderMissing(f"the sentence encoder is not in {folder}: run `make setup`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A thread that spins while it waits takes the core that the next turn needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The fused normalisation takes twice as long as its two halves.
        self._session = onnxruntime.InferenceSession(
            str(folder / model), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        # The file asks to pad every text to 128 tokens, which makes short texts ten times slower.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def _run(self, text: str) -> Vector:
        """The output for one text. Texts go one by one, as an 8-bit model scales its numbers once a batch."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        output: Vector = self._session.run(None, {"input_ids": ids})[0][0]
        return output


class Encoder(_Network):
    """Turns a text into a vector of 384 numbers of unit length; alike texts get near vectors."""

    def __init__(self, folder: Path) -> None:
        """Loads the encoder from the folder that `bot.nlu.encoder_build` wrote.

        Raises:
            EncoderMissing: a file is not there.
        """
        super().__init__(folder, MODEL)
        # Within a turn, several components ask for the same text.
        self.encode = lru_cache(maxsize=32)(self._run)


class DangerModel(_Network):
    """Tells how likely each kind of danger is in a text, and that there is none."""

    def __init__(self, folder: Path) -> None:
        """Loads the model from the folder that `bot.nlu.encoder_build` wrote.

        Raises:
            EncoderMissing: a file is not there.
        """
        super().__init__(folder, DANGER_MODEL)
        self._labels = self._session.get_modelmeta().custom_metadata_map[LABELS].split(",")

    def chances(self, text: str) -> dict[str, float]:
        """The probability of each label of bot/nlu/safety_net.py for a normalised text; together they are 1."""
        return dict(zip(self._labels, map(float, self._run(text)), strict=True))
