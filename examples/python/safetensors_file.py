"""Writes safetensors files with the standard library alone; knows the layout of that format."""

import json
import struct

import torch

_NAMES = {
    torch.float64: 'F64', torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16',
    torch.int64: 'I64', torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8', torch.uint8: 'U8', torch.bool: 'BOOL',
}


def write_safetensors(path, tensors, metadata=None):
    """Writes name -> tensor to `path`: the same tensors always give the same bytes."""
    header = {} if metadata is None else {'__metadata__': metadata}
    blobs = []
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        # NumPy has no bfloat16: the same bytes as integers.
        plain = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        blob = plain.numpy().tobytes()
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
