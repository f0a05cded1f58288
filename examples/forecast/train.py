"""Trains the weather LSTM in PyTorch on Seattle's days of 2012 to 2014 and records what PyTorch forecasts for 2015.

    python3 examples/forecast/train.py

It reads seattle-weather.csv and writes model.safetensors and pytorch.safetensors, in a few seconds.
"""

import csv
import math
import pathlib
import sys
from datetime import date

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'python'))

from safetensors_file import write_safetensors  # noqa: E402

HIDDEN = 32
ROUNDS = 100
WINDOW = 365
NOISE = 0.3  # of a standard deviation: three years are few, and without it the network learns them by heart
TEST_YEAR = 2015


class Forecaster(nn.Module):
    """After each day: by how many (scaled) degrees tomorrow's highest and lowest temperature differ from today's."""

    def __init__(self, features):
        super().__init__()
        self.rnn = nn.LSTM(features, HIDDEN)
        self.head = nn.Linear(HIDDEN, 2)
        self.dropout = nn.Dropout(0.4)

    def forward(self, days, state=None):
        output, _ = self.rnn(days, state)
        return self.head(self.dropout(output))


def read_days():
    """Features (T, 6) of every day, the temperatures (T, 2), and the year of each day; index.mjs makes the same features."""
    with open(HERE / 'seattle-weather.csv') as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row['date']) for row in rows]
    features = []
    for row, day in zip(rows, days):
        angle = 2 * math.pi * (day - date(day.year, 1, 1)).days / 365.25
        features.append([float(row['temp_max']), float(row['temp_min']), math.log1p(float(row['precipitation'])),
                         float(row['wind']), math.sin(angle), math.cos(angle)])
    features = torch.tensor(features, dtype=torch.float64)
    return features, features[:, :2], torch.tensor([day.year for day in days])


def train(inputs, targets):
    model = Forecaster(inputs.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, ROUNDS)
    for round in range(ROUNDS):
        model.train()
        starts = torch.randint(0, len(inputs) - WINDOW, (24,)).tolist()
        x = torch.stack([inputs[start:start + WINDOW] for start in starts], 1)
        y = torch.stack([targets[start:start + WINDOW] for start in starts], 1)
        x = x + NOISE * torch.randn_like(x)
        loss = nn.functional.smooth_l1_loss(model(x)[10:], y[10:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if round % 20 == 19:
            print(f'round {round + 1}: loss {loss.item():.4f}', flush=True)
    return model.eval()


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    features, temperatures, years = read_days()
    taught = int((years < TEST_YEAR).sum())
    mean, scale = features[:taught].mean(0).float(), features[:taught].std(0).float()
    inputs = (features.float() - mean) / scale
    change = temperatures[1:] - temperatures[:-1]
    change_scale = change[:taught - 1].std(0).float()
    model = train(inputs[:taught - 1], (change[:taught - 1] / change_scale).float())

    with torch.no_grad():
        forecast = temperatures[:-1].float() + model(inputs[:-1, None])[:, 0] * change_scale
    actual = temperatures[taught:]
    forecast = forecast[taught - 1:]
    error = (forecast - actual).abs().mean(0)
    naive = (temperatures[taught - 1:-1] - actual).abs().mean(0)
    print(f'mean absolute error {error.tolist()} °C, of "tomorrow is like today" {naive.tolist()} °C')
    scales = {'scale.mean': mean, 'scale.deviation': scale, 'scale.change': change_scale}
    write_safetensors(HERE / 'model.safetensors', {**model.state_dict(), **scales})
    write_safetensors(HERE / 'pytorch.safetensors', {'forecast': forecast}, {'torch': torch.__version__})


if __name__ == '__main__':
    main()
