#!/usr/bin/env python3
"""The other sides of bench_encoder.py: PyTorch, OpenVINO and Pillow, each in a process of its own.

usage: bench_encoder_peer.py write MODEL FILE
       bench_encoder_peer.py run MODEL FILE THREADS float32|bfloat16 COMPILE
       bench_encoder_peer.py openvino MODEL FILE THREADS float32|bfloat16
       bench_encoder_peer.py start MODEL FILE THREADS
       bench_encoder_peer.py images FILE SIDE OUT pillow|torchvision

All print "name value" lines and end them with "ready 1"; then each line of standard input is
answered.  Models are open_clip's configurations of OpenAI's CLIP, or timm's of other networks, at
the size that timm trained them for; random weights (the time does not depend on their values).

write   saves the image encoder's weights; prints the operations of an image (2 for each
        multiplication with its addition, by PyTorch's own counter)
run     tries eager, and traced, frozen and torch.jit.optimize_for_inference'd (what has
        convolutions both also in channels_last; torch.compile with COMPILE 1), in bfloat16 with all weights rounded, each at
        batches of 1, 4, 8, 16 and 32; 32 is not tried where 16 was slower than before, nor any
        batch that would take more than eight seconds.  Then SECONDS: a run of the best way of about
        that long, images_per_second R P: P for each second of processors' time
openvino  the same model, converted; as many streams as threads, batches of 1, 2, 4 and 8.  "kernels"
        says of which precision its products are
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
SLOWEST = 5.0  # seconds of a batch
FAR = 0.6  # of the best rate
TIMM = {"ConvNeXt-B": "convnext_base", "Swin-B": "swin_base_patch4_window7_224", "EfficientNet-B4": "efficientnet_b4"}


def say(name, *values):
    print(name, *values, flush=True)


def lines():
    say("ready", 1)
    for line in sys.stdin:
        yield line.strip()


def timed(run, batch, seconds):
    """Images a second, and a second of this process's time on all processors."""
    run()
    count, start, worked = 0, time.perf_counter(), time.process_time()
    while count == 0 or time.perf_counter() - start < seconds:
        run()
        count += 1
    took, work = time.perf_counter() - start, time.process_time() - worked
    return count * batch / took, count * batch / work


def answer(run, images):
    for line in lines():
        say("images_per_second", *timed(run, images, float(line)))


def best_of(ways, batches, of_batch):
    """(way, batch) of most images a second; of_batch: a call, and how many images it computes.

    A way whose first two batches are both far from the best so far is not tried further."""
    best, chosen = 0, None
    for way in ways:
        best_of_way = 0
        for number, batch in enumerate(batches):
            if number == 2 and best_of_way < FAR * best:
                break
            if best_of_way > 0 and batch / best_of_way > SLOWEST:
                say("tried", way, batch, "too slow")
                break
            rate, _ = timed(*of_batch(way, batch), 1.0)
            say("tried", way, batch, round(rate, 2))
            if rate > best:
                best, chosen = rate, (way, batch)
            if batch >= 16 and rate < 0.97 * best_of_way:
                break
            best_of_way = max(rate, best_of_way)
    say("way", *chosen)
    return chosen


def timm_model(name):
    import timm
    return timm.create_model(TIMM[name], pretrained=False, num_classes=0).eval()


def empty_visual(name):
    """The image encoder without values.  timm's with random ones: some of its buffers are in no file."""
    import open_clip
    import torch
    if name in TIMM:
        return timm_model(name)
    with torch.device("meta"):
        return open_clip.create_model(name + "-quickgelu", pretrained=None, device="meta").visual.eval()


def random_visual(name):
    import open_clip
    import torch
    torch.manual_seed(0)
    if name in TIMM:
        return timm_model(name)
    return open_clip.create_model(name + "-quickgelu", pretrained=None).visual.eval()


def side_of(model):
    if hasattr(model, "default_cfg"):
        return model.default_cfg["input_size"][1]
    return model.image_size[0] if isinstance(model.image_size, tuple) else model.image_size


def outer_of(name):
    return "" if name in TIMM else "visual."


def write(name, path):
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    torch.backends.mha.set_fastpath_enabled(False)  # its products would not be counted
    model = random_visual(name)
    torch.save({outer_of(name) + k: v for k, v in model.state_dict().items()}, path)
    say("input", side_of(model))
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.randn(1, 3, side_of(model), side_of(model)))
    say("operations", counter.get_total_flops())
    say("ready", 1)


def ways_of(name, model, x, compiled):
    import copy
    import torch
    ways = {}
    layouts = {"": torch.contiguous_format}
    if name.startswith("RN") or name in TIMM:
        layouts[" channels_last"] = torch.channels_last
    for suffix, layout in layouts.items():
        laid = copy.deepcopy(model).to(memory_format=layout)
        traced = torch.jit.trace(laid, x.to(memory_format=layout))
        ways["eager" + suffix] = (laid, layout)
        ways["jit" + suffix] = (torch.jit.optimize_for_inference(torch.jit.freeze(traced)), layout)
    if compiled:
        ways["compile"] = (torch.compile(model), torch.contiguous_format)
    return ways


def read_weights(name, model, path, mapped):
    import torch
    weights = torch.load(path, mmap=mapped, weights_only=True)
    model.load_state_dict({k[len(outer_of(name)):]: v for k, v in weights.items()}, assign=True)


def read_visual(name, path):
    model = empty_visual(name)
    read_weights(name, model, path, False)
    return model


def run(name, path, threads, precision, compiled):
    import torch
    torch.set_num_threads(int(threads))
    kind = getattr(torch, precision)
    model = read_visual(name, path).to(kind)
    side = side_of(model)
    say("registers", torch.backends.cpu.get_cpu_capability())

    def of_batch(way, batch):
        model_of, layout = ways[way]
        x = torch.randn(batch, 3, side, side, dtype=kind).to(memory_format=layout)
        return lambda: model_of(x), batch

    with torch.inference_mode():
        ways = ways_of(name, model, torch.randn(8, 3, side, side, dtype=kind), compiled == "1")
        answer(*of_batch(*best_of(ways, (1, 4, 8, 16, 32), of_batch)))


def kernels_of(compiled):
    """"PRECISION COUNT, ..." of the layers that multiply: a hint is not always followed."""
    counts = {}
    for node in compiled.get_runtime_model().get_ops():
        about = node.get_rt_info()
        if about["layerType"].astype(str) in ("Convolution", "FullyConnected", "MatMul",
                                              "ScaledDotProductAttention"):
            precision = about["runtimePrecision"].astype(str)
            counts[precision] = counts.get(precision, 0) + 1
    return ", ".join(f"{precision} {count}" for precision, count in sorted(counts.items()))


def openvino(name, path, threads, precision):
    import numpy as np
    import openvino as ov
    import torch
    core, threads = ov.Core(), int(threads)
    model = read_visual(name, path)
    side = side_of(model)
    with torch.inference_mode():
        converted = ov.convert_model(model, example_input=torch.randn(1, 3, side, side))
    del model
    options = {"INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
               "PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads}
    queues = {}

    def of_batch(_, batch):
        queues.clear()  # one compiled model at a time
        converted.reshape([batch, 3, side, side])
        compiled = core.compile_model(converted, "CPU", options)
        queue = queues[batch] = ov.AsyncInferQueue(compiled, threads)
        x = np.random.default_rng(0).standard_normal((batch, 3, side, side), np.float32)

        def twice_each():
            for _ in range(2 * threads):
                queue.start_async({0: x})
            queue.wait_all()

        say("kernels", kernels_of(compiled))
        return twice_each, 2 * threads * batch

    answer(*of_batch(*best_of(["streams"], (1, 2, 4, 8), of_batch)))


def start(name, path, threads):
    import torch
    torch.set_num_threads(int(threads))
    model = empty_visual(name)
    read_weights(name, model, path, True)
    for line in lines():
        if line == "batch":
            with torch.inference_mode():
                model(torch.randn(8, 3, side_of(model), side_of(model)))
            status = open("/proc/self/status", encoding="utf-8").read()
            say("peak_mb", int(status.split("VmHWM:")[1].split()[0]) // 1024)
        else:
            begin = time.perf_counter()
            read_weights(name, model, path, False)
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
    answer(once, 1)


if __name__ == "__main__":
    position = 4 if sys.argv[1] in ("run", "openvino", "start") else None
    os.environ.setdefault("OMP_NUM_THREADS", sys.argv[position] if position else "1")
    {"write": write, "run": run, "openvino": openvino, "start": start, "images": images}[sys.argv[1]](*sys.argv[2:])
