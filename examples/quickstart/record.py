"""Records the quickstart's case in PyTorch: its weights under `rnn.`, its input and its output, in pytorch.safetensors."""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'python'))

from safetensors_file import write_safetensors  # noqa: E402

torch.manual_seed(0)
rnn = torch.nn.RNN(3, 4, bias=False, batch_first=True)
x = torch.tensor([[[1., 2., 3.], [3., 4., 5.], [5., 6., 7.]]])
with torch.no_grad():
    output, _ = rnn(x)
weights = {f'rnn.{key}': value for key, value in rnn.state_dict().items()}
write_safetensors(HERE / 'pytorch.safetensors', {**weights, 'input': x, 'output': output}, {'torch': torch.__version__})
print(output)
