#!/usr/bin/env python3
"""The other side of bench_encoder.py: PyTorch and Pillow, each in a process of its own.

usage: bench_encoder_peer.py write MODEL FILE
       bench_encoder_peer.py run MODEL THREADS COMPILE
       bench_encoder_peer.py start MODEL FILE THREADS
       bench_encoder_peer.py images FILE SIDE OUT pillow|torchvision

All print "name value" lines and end them with "ready 1"; run, start and images then answer each line of
standard input.  Models are open_clip's configurations of OpenAI's CLIP, random weights (the time
does not depend on their values).

write   saves the image encoder's weights; prints the operations of an image (2 for each
        multiplication with its addition, by PyTorch's own counter)
run     tries eager, and traced, frozen and torch.jit.optimize_for_inference'd (ResNets also in
        channels_last; torch.compile with COMPILE 1), each at batches of 1, 4, 8, 16 and 32; 32 is not
        tried where 16 was slower than before, nor any batch that would take more than eight seconds.
        Then SECONDS: a run of the best way of about that long, images_per_second
start   from the process's start to an encoder that waits for its first batch, as lean as PyTorch can do
        it: no text tower, no random weights, the file mapped.  Then "batch": computes one, the
        process's peak_mb; "load": load_seconds of torch.load and load_state_dict into that encoder, the
        file read
images  a file's bytes to CLIP's input, written to OUT, float32 [3, SIDE, SIDE]; then SECONDS as above, one
        thread.  torchvision: its transforms; pillow: only decoding, resize and crop are timed, up to bytes
"""
import io
import logging
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
SLOWEST = 8.0  # seconds of a batch


def say(name, *values):
    print(name, *values, flush=True)


def lines():
    say("ready", 1)
    for line in sys.stdin:
        yield line.strip()


def timed(run, batch, seconds):
    run()
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        run()
        count += 1
    return count * batch / (time.perf_counter() - start)


def empty_visual(name):
    """The image encoder without values."""
    import open_clip
    import torch
    with torch.device("meta"):
        return open_clip.create_model(name + "-quickgelu", pretrained=None, device="meta").visual.eval()


def random_visual(name):
    import open_clip
    import torch
    torch.manual_seed(0)
    return open_clip.create_model(name + "-quickgelu", pretrained=None).visual.eval()


def side_of(model):
    return model.image_size[0] if isinstance(model.image_size, tuple) else model.image_size


def write(name, path):
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    torch.backends.mha.set_fastpath_enabled(False)  # its products would not be counted
    model = random_visual(name)
    torch.save({"visual." + k: v for k, v in model.state_dict().items()}, path)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.randn(1, 3, side_of(model), side_of(model)))
    say("operations", counter.get_total_flops())
    say("ready", 1)


def ways_of(name, model, compiled):
    import torch
    ways = {"eager": (model, torch.contiguous_format)}
    x = torch.randn(8, 3, side_of(model), side_of(model))
    for way, layout in (("jit", torch.contiguous_format), ("jit channels_last", torch.channels_last)):
        if layout == torch.contiguous_format or name.startswith("RN"):
            traced = torch.jit.trace(model.to(memory_format=layout), x.to(memory_format=layout))
            ways[way] = (torch.jit.optimize_for_inference(torch.jit.freeze(traced)), layout)
    if compiled:
        ways["compile"] = (torch.compile(model), torch.contiguous_format)
    return ways


def run(name, threads, compiled):
    import torch
    torch.set_num_threads(int(threads))
    model = random_visual(name)
    side = side_of(model)

    def of_batch(way, batch):
        model_of, layout = ways[way]
        x = torch.randn(batch, 3, side, side).to(memory_format=layout)
        return lambda: model_of(x)

    with torch.inference_mode():
        ways = ways_of(name, model, compiled == "1")
        best, chosen = 0, None
        for way in ways:
            best_of_way = 0
            for batch in (1, 4, 8, 16, 32):
                if best_of_way > 0 and batch / best_of_way > SLOWEST:
                    say("tried", way, batch, "too slow")
                    break
                rate = timed(of_batch(way, batch), batch, 1.0)
                say("tried", way, batch, round(rate, 2))
                if rate > best:
                    best, chosen = rate, (way, batch)
                if batch >= 16 and rate < 0.97 * best_of_way:
                    break
                best_of_way = max(rate, best_of_way)
        say("way", *chosen)
        for line in lines():
            say("images_per_second", timed(of_batch(*chosen), chosen[1], float(line)))


def start(name, path, threads):
    import torch

    def load(mapped):
        weights = torch.load(path, mmap=mapped, weights_only=True)
        model.load_state_dict({k[len("visual."):]: v for k, v in weights.items()}, assign=True)

    torch.set_num_threads(int(threads))
    model = empty_visual(name)
    load(True)
    for line in lines():
        if line == "batch":
            with torch.inference_mode():
                model(torch.randn(8, 3, side_of(model), side_of(model)))
            status = open("/proc/self/status", encoding="utf-8").read()
            say("peak_mb", int(status.split("VmHWM:")[1].split()[0]) // 1024)
        else:
            begin = time.perf_counter()
            load(False)
            say("load_seconds", time.perf_counter() - begin)


def images(path, side, out, way):
    import numpy as np
    from PIL import Image
    side = int(side)
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    with open(path, "rb") as file:
        data = file.read()

    def decode():
        if path.endswith((".jpg", ".png")):
            return Image.open(io.BytesIO(data)).convert("RGB")
        return Image.frombytes("RGB", (32, 32), data)

    if way == "torchvision":
        import torch
        from torchvision import transforms
        torch.set_num_threads(1)
        say("version", "torchvision", sys.modules["torchvision"].__version__)
        whole = transforms.Compose([
            transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(side), transforms.ToTensor(), transforms.Normalize(mean, std)])

        def once():
            return whole(decode()).numpy()
    else:
        say("version", "Pillow", sys.modules["PIL"].__version__)

        def once():
            image = decode()
            width, height = image.size
            short = min(width, height)
            width, height = side * width // short, side * height // short
            image = image.resize((width, height), Image.Resampling.BICUBIC)
            left, top = round((width - side) / 2), round((height - side) / 2)
            return image.crop((left, top, left + side, top + side)).tobytes()

    values = once()
    if way == "pillow":
        values = np.frombuffer(values, np.uint8).reshape(side, side, 3).astype(np.float32)
        values = ((values / np.float32(255) - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)
    np.ascontiguousarray(values, dtype="<f4").tofile(out)
    for line in lines():
        say("images_per_second", timed(once, 1, float(line)))


if __name__ == "__main__":
    position = {"run": 3, "start": 4}.get(sys.argv[1])
    os.environ.setdefault("OMP_NUM_THREADS", sys.argv[position] if position else "1")
    {"write": write, "run": run, "start": start, "images": images}[sys.argv[1]](*sys.argv[2:])
