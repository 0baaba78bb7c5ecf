"""A script that writes a tiny language model of random weights, for the server that test_real_server.py starts.

    python tiny_model.py tiny.gguf                                  a model that writes random characters
    python tiny_model.py tiny.gguf "It was" " built" " in 1858 [1]."   one whose weights hold this reply, then its end
    python tiny_model.py --again tiny.gguf "So" " on"               one that says this over and over

The server's own interpreter runs it: Footnote's has no gguf. Each argument after the file is one token, and so one
delta of the stream. But: such a model heeds the token before and no other, so that every token must differ.
"""

from __future__ import annotations

import argparse
import string
from itertools import pairwise

import gguf
import numpy as np

SEED = 1858
WIDTH, HEADS, FEED_FORWARD, CONTEXT_TOKENS = 64, 4, 128, 32_768
SPECIAL = ["<unk>", "<s>", "</s>", "<reply>"]
UNKNOWN, BEGIN, END, REPLY = range(len(SPECIAL))
# The very last token of each request is "<reply>", from which the reply follows.
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}<reply>"
FAINT = 0.01  # how little the random part of the head weighs beside a reply that it holds


def write(path: str, reply: list[str], again: bool) -> None:
    random = np.random.RandomState(SEED)  # its numbers are the same in every version of numpy
    characters = [character for character in string.printable if character.isprintable()]
    pieces = [piece.replace(" ", "▁") for piece in characters + [piece for piece in reply if len(piece) > 1]]
    if len(set(reply)) < len(reply):
        raise SystemExit("Every token of a reply must differ.")
    # Every byte is a token, so that any request can be read.
    tokens = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    normal, byte, control, unknown = 1, 6, 3, 2
    kinds = [unknown, *[control] * (len(SPECIAL) - 1), *[byte] * 256, *[normal] * len(pieces)]

    def weights(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    embeddings = weights(len(tokens), WIDTH)
    head = weights(len(tokens), WIDTH)
    head[: len(tokens) - len(pieces)] = 0.0  # neither the end nor half a character at random
    blocks = 1.0
    if reply:
        numbers = [REPLY, *(tokens.index(piece.replace(" ", "▁")) for piece in reply)]
        numbers.append(numbers[1] if again else END)
        blocks = FAINT
        head *= FAINT
        for before, after in pairwise(numbers):
            head[after] += embeddings[before]

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    writer.add_tensor("output.weight", head)
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(WIDTH, np.float32))
    for name in ("attn_q", "attn_k", "attn_v"):
        writer.add_tensor(f"blk.0.{name}.weight", weights(WIDTH, WIDTH) / WIDTH**0.5)
    writer.add_tensor("blk.0.attn_output.weight", blocks * weights(WIDTH, WIDTH) / WIDTH**0.5)
    writer.add_tensor("blk.0.ffn_gate.weight", weights(FEED_FORWARD, WIDTH) / WIDTH**0.5)
    writer.add_tensor("blk.0.ffn_up.weight", weights(FEED_FORWARD, WIDTH) / WIDTH**0.5)
    writer.add_tensor("blk.0.ffn_down.weight", blocks * weights(WIDTH, FEED_FORWARD) / FEED_FORWARD**0.5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--again", action="store_true")
    parser.add_argument("path")
    parser.add_argument("reply", nargs="*")
    given = parser.parse_args()
    write(given.path, given.reply, given.again)
