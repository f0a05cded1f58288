"""Makes speech.wav: three sentences by espeak-ng, with pauses between them and a hiss under all of it; 16 kHz, μ-law, one byte a sample.

    apt-get install espeak-ng
    python3 examples/vad/speak.py
"""

import io
import pathlib
import struct
import subprocess
import wave

import numpy

RATE = 16000
# What is said, by which voice, and for how many seconds nobody speaks before it.
SENTENCES = [
    ('en-us', 0.7, 'The rain has stopped at last.'),
    ('en-gb', 0.9, 'Did somebody call?'),
    ('en-us+f3', 1.1, 'Please close the window when you leave.'),
]
SILENCE_AT_THE_END = 0.8


def say(text, voice):
    sound = subprocess.run(['espeak-ng', '-v', voice, '-s', '165', '--stdout', text], check=True, capture_output=True)
    with wave.open(io.BytesIO(sound.stdout)) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2
        rate = file.getframerate()
        samples = numpy.frombuffer(sound.stdout[44:], numpy.int16).astype(numpy.float64) / 32768
    return resample(samples, rate)


def resample(samples, rate):
    """To 16 kHz, each new sample a windowed sinc over its neighbours."""
    reach = 32
    cut = min(1, RATE / rate)
    at = numpy.arange(int(len(samples) * RATE / rate)) * rate / RATE
    padded = numpy.pad(samples, reach)
    places = numpy.floor(at).astype(int)[:, None] + numpy.arange(1 - reach, reach + 1)[None, :]
    distance = at[:, None] - places
    taps = cut * numpy.sinc(cut * distance) * (0.5 + 0.5 * numpy.cos(numpy.pi * distance / reach))
    return (padded[places + reach] * taps).sum(axis=1)


def mu_law(samples):
    """G.711: sign, exponent and mantissa of a sample, all bits turned."""
    value = numpy.round(samples * 32768).astype(int)
    size = numpy.minimum(numpy.abs(value), 32635) + 132
    exponent = numpy.floor(numpy.log2(size)).astype(int) - 7
    mantissa = (size >> (exponent + 3)) & 15
    return (~(((value < 0) << 7) | (exponent << 4) | mantissa) & 255).astype(numpy.uint8)


def main():
    parts = []
    for voice, pause, text in SENTENCES:
        parts += [numpy.zeros(int(pause * RATE)), say(text, voice) * 0.6]
    parts.append(numpy.zeros(int(SILENCE_AT_THE_END * RATE)))
    samples = numpy.concatenate(parts)
    samples += numpy.random.default_rng(1).normal(0, 0.002, len(samples))
    data = mu_law(numpy.clip(samples, -1, 1)).tobytes()
    # 7 is μ-law; a format other than PCM has the size of its extension (0), and says how many samples there are.
    form = struct.pack('<HHIIHHH', 7, 1, RATE, RATE, 1, 8, 0)
    chunks = [(b'fmt ', form), (b'fact', struct.pack('<I', len(samples))), (b'data', data + b'\0' * (len(data) % 2))]
    body = b'WAVE' + b''.join(name + struct.pack('<I', len(chunk)) + chunk for name, chunk in chunks)
    path = pathlib.Path(__file__).resolve().parent / 'speech.wav'
    path.write_bytes(b'RIFF' + struct.pack('<I', len(body)) + body)
    print(f'{len(samples) / RATE:.2f} s, {path.stat().st_size} bytes')


if __name__ == '__main__':
    main()
