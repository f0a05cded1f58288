"""Trains the character GRU in PyTorch on the King James Bible (1611, public domain) and records PyTorch's own numbers for it.

The text comes from Debian's `bible-kjv` and `bible-kjv-text`, one verse a line:

    bible -f gen1:1-rev22:21 | sed 's/^[^ ]* //' > kjv.txt
    python3 examples/text/train.py kjv.txt

It writes model.safetensors (float16), alphabet.json and pytorch.json, in under ten minutes on one core with OpenBLAS.
"""

import json
import math
import pathlib
import sys
import time

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'python'))

from safetensors_file import write_safetensors  # noqa: E402

EMBEDDING = 48
HIDDEN = 352
STREAMS = 64
CHUNK = 96
STEPS = 1900
PEAK_RATE = 4e-3
KEPT_APART = 40000
OPENING = 'And it came to pass'
GREEDY = 200


class Writer(nn.Module):
    def __init__(self, alphabet_size):
        super().__init__()
        self.embedding = nn.Embedding(alphabet_size, EMBEDDING)
        self.rnn = nn.GRU(EMBEDDING, HIDDEN)
        self.head = nn.Linear(HIDDEN, alphabet_size)

    def forward(self, ids, state=None):
        output, state = self.rnn(self.embedding(ids), state)
        return self.head(output), state


def train(ids, alphabet_size):
    """Truncated back-propagation over STREAMS parallel readers, each of which keeps its state from chunk to chunk."""
    model = Writer(alphabet_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=STEPS, pct_start=0.05)
    length = len(ids) // STREAMS
    text = ids[:length * STREAMS].reshape(STREAMS, length).t()
    at, state, smooth, began = 0, None, None, time.time()
    for step in range(1, STEPS + 1):
        if at + CHUNK + 1 > length:
            at, state = step % CHUNK, None
        logits, state = model(text[at:at + CHUNK], state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), text[at + 1:at + CHUNK + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        state = state.detach()
        at += CHUNK
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0:
            print(f'step {step}: {smooth / math.log(2):.3f} bits a character, {time.time() - began:.0f} s', flush=True)
    return model


def rounded_to_half(model):
    """The state dict in float16, with the model itself set to exactly those numbers."""
    half = {name: value.half() for name, value in model.state_dict().items()}
    model.load_state_dict({name: value.float() for name, value in half.items()})
    return half


@torch.no_grad()
def most_likely(model, opening_ids):
    """What the model writes when each next character is the likeliest one."""
    logits, state = model(opening_ids)
    written = [logits[-1].argmax()]
    while len(written) < GREEDY:
        logits, state = model(written[-1][None], state)
        written.append(logits[-1].argmax())
    return torch.stack(written).tolist()


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    text = pathlib.Path(sys.argv[1]).read_text()
    alphabet = ''.join(sorted(set(text)))
    index = {character: at for at, character in enumerate(alphabet)}
    ids = torch.tensor([index[character] for character in text])
    model = train(ids[:-KEPT_APART], len(alphabet))

    write_safetensors(HERE / 'model.safetensors', rounded_to_half(model))
    with torch.no_grad():
        unseen = ids[-KEPT_APART:]
        logits, _ = model(unseen[:-1])
        bits = nn.functional.cross_entropy(logits, unseen[1:]).item() / math.log(2)
        opening = torch.tensor([index[character] for character in OPENING])
        logits, _ = model(opening)
        greedy = ''.join(alphabet[at] for at in most_likely(model, opening))
    print(f'{bits:.3f} bits a character on text that the training never saw')
    print(OPENING + greedy)
    (HERE / 'alphabet.json').write_text(json.dumps(alphabet) + '\n')
    record = {
        'torch': torch.__version__,
        'bitsACharacter': round(bits, 4),
        'opening': OPENING,
        'logits': logits[-1].tolist(),
        'greedy': greedy,
    }
    (HERE / 'pytorch.json').write_text(json.dumps(record, indent=2) + '\n')


if __name__ == '__main__':
    main()
