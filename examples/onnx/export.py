"""Exports the digit reader of examples/digits whole, as one ONNX file: recurrent layers, the last state, the head.

    python3 examples/onnx/export.py

It needs PyTorch alone and writes digits.onnx. The weights are those that examples/digits/train.py saved.
"""

import json
import pathlib
import struct
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
DIGITS = HERE.parent / 'digits'
sys.path.insert(0, str(DIGITS))

from train import ROWS, DigitReader  # noqa: E402


def read_safetensors(path):
    """The tensors of a file that holds float32 alone."""
    data = path.read_bytes()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == '__metadata__':
            continue
        assert entry['dtype'] == 'F32', entry
        begin, end = entry['data_offsets']
        values = torch.frombuffer(bytearray(data[start + begin:start + end]), dtype=torch.float32)
        tensors[name] = values.reshape(entry['shape'])
    return tensors


def main():
    model = DigitReader()
    model.load_state_dict(read_safetensors(DIGITS / 'model.safetensors'))
    model.eval()
    torch.onnx.export(
        model,
        torch.zeros(2, ROWS, ROWS),
        HERE / 'digits.onnx',
        input_names=['rows'],
        output_names=['logits'],
        dynamic_axes={'rows': {0: 'batch'}, 'logits': {0: 'batch'}},
        opset_version=17,
    )


if __name__ == '__main__':
    main()
