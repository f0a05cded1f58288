"""Writes safetensors files with the standard library alone; knows the layout of that format."""

import json
import struct

import torch

_NAMES = {torch.float32: 'F32', torch.float16: 'F16'}


def write_safetensors(path, tensors, metadata=None):
    """Writes name -> tensor (float32 or float16) to `path`: the same tensors always give the same bytes."""
    header = {} if metadata is None else {'__metadata__': metadata}
    blobs = []
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        blob = tensor.numpy().tobytes()
        header[name] = {
            'dtype': _NAMES[tensor.dtype],
            'shape': list(tensor.shape),
            'data_offsets': [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(',', ':')).encode('utf-8')
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(blobs))
