"""PyTorch's recurrent layers, one thread, inference: loads a layer, runs it, times it, as asked over stdin."""

import sys
import time

import numpy
import torch

torch.set_num_threads(1)
requests, answers = sys.stdin.buffer, sys.stdout.buffer
layers = {'rnn': torch.nn.RNN, 'gru': torch.nn.GRU, 'lstm': torch.nn.LSTM}


def read(*shape):
    count = int(numpy.prod(shape))
    return torch.from_numpy(numpy.frombuffer(requests.read(count * 4), dtype='<f4').copy()).reshape(shape)


def answer(line):
    answers.write(f'{line}\n'.encode())
    answers.flush()


@torch.inference_mode()
def serve():
    layer = frames = None
    feedback = False
    for line in iter(requests.readline, b''):
        words = line.decode().split()
        if words[0] == 'load':
            cell = words[1]
            I, H, T, B, steps, feedback = map(int, words[2:8])
            layer = layers[cell](I, H)
            weights = [read(*p.shape) for p in layer.parameters()]
            for parameter, values in zip(layer.parameters(), weights):
                parameter.copy_(values)
            frames = [read(T, B, I) for _ in range(steps)]
            if 'quantized' in words:
                whole = torch.nn.Sequential(layer)
                layer = torch.ao.quantization.quantize_dynamic(whole, {type(layer)}, torch.qint8)[0]
            answer(f'PyTorch {torch.__version__}')
        elif words[0] == 'check':
            state, outputs = None, []
            for frame in frames:
                y, state = layer(frame, state if feedback else None)
                outputs.append(y.flatten())
            values = torch.cat(outputs).numpy().astype('<f4')
            answer(f'floats {values.size}')
            answers.write(values.tobytes())
            answers.flush()
        elif words[0] == 'time':
            frame, calls = frames[0], int(words[1])
            state = layer(frame)[1] if feedback else None
            start = time.perf_counter_ns()
            if feedback:
                for _ in range(calls):
                    y, state = layer(frame, state)
            else:
                for _ in range(calls):
                    layer(frame)
            answer(time.perf_counter_ns() - start)
        else:
            answer('error: unknown request')


serve()
