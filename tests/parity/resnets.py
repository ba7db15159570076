"""Residual networks for test_resnet.py and tests/golden/make_resnets.py: torchvision's with any
width, random weights with batch norms that are far from the identity, and every stage under the
name of linprobe's tap.
"""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet


class SmallResNet(ResNet):
    """torchvision's ResNet, which begins with 64 channels, with `width` instead."""

    def __init__(self, block, layers, width, groups=1, width_per_group=64):
        nn.Module.__init__(self)
        self._norm_layer = nn.BatchNorm2d
        self.inplanes, self.dilation = width, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, width, layers[0])
        self.layer2 = self._make_layer(block, 2 * width, layers[1], 2)
        self.layer3 = self._make_layer(block, 4 * width, layers[2], 2)
        self.layer4 = self._make_layer(block, 8 * width, layers[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width * block.expansion, 3)


def rows(x):
    """[B, C, H, W] -> [B * H * W, C]"""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def stages(model, images):
    """{tap: values [rows, columns]} of a torchvision ResNet or an open_clip ModifiedResNet."""
    seen, inputs = {}, {}
    hooks = []

    def keep(name):
        return lambda module, args, out: seen.__setitem__(name, rows(out))

    clip = hasattr(model, "attnpool")
    hooks.append((model.avgpool if clip else model.maxpool).register_forward_hook(keep("stem")))
    for number in range(1, 5):
        for i, block in enumerate(getattr(model, f"layer{number}")):
            hooks.append(block.register_forward_hook(keep(f"layer{number}.{i}")))
    if not clip:
        hooks.append(
            model.fc.register_forward_pre_hook(lambda _, args: seen.update(penultimate=args[0]))
        )
        model(images)
    else:
        hooks.append(
            model.attnpool.register_forward_pre_hook(lambda _, args: inputs.update(x=args[0]))
        )
        projected = model(images)
        pool = model.attnpool
        x = inputs["x"].flatten(2).transpose(1, 2)  # [B, P, C]
        tokens = torch.cat([x.mean(1, keepdim=True), x], 1) + pool.positional_embedding
        seen["tokens"] = tokens.flatten(0, 1)
        # c_proj is linear: the identity in its place leaves what goes into it
        weight, bias = pool.c_proj.weight, pool.c_proj.bias
        size = weight.shape[1]
        pool.c_proj.weight = nn.Parameter(torch.eye(size, dtype=weight.dtype))
        pool.c_proj.bias = nn.Parameter(torch.zeros(size, dtype=weight.dtype))
        seen["penultimate"] = pool(inputs["x"])
        pool.c_proj.weight, pool.c_proj.bias = weight, bias
        seen["projected"] = projected
    for hook in hooks:
        hook.remove()
    return seen


def randomize(model, seed):
    """Weights and statistics that a forgotten batch norm, mean or eps would show in, activations
    that do not run away, and attention that is neither even nor a single choice.  (Statistics taken
    from inputs would make a random network chaotic: each layer would take off what images share,
    and double every rounding.)"""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, std, mean=0.0):
        tensor.copy_(mean + std * torch.randn(tensor.shape, generator=generator))

    with torch.no_grad():
        for name, m in model.named_modules():
            if isinstance(m, nn.Conv2d):
                normal(m.weight, (2 / m.weight[0].numel()) ** 0.5)
            elif isinstance(m, nn.BatchNorm2d):
                last = name.endswith(("bn3", "downsample.1"))
                normal(m.weight, 0.1, 0.4 if last else 1.0)
                normal(m.bias, 0.2)
                normal(m.running_mean, 0.3)
                m.running_var.copy_(0.3 + torch.rand(m.running_var.shape, generator=generator))
            elif isinstance(m, nn.Linear):
                normal(m.weight, m.in_features**-0.5)
                normal(m.bias, 0.1)
        model.eval()
        if hasattr(model, "attnpool"):
            normal(model.attnpool.positional_embedding, 0.3)
            size = 32 * int((len(model.attnpool.positional_embedding) - 1) ** 0.5)
            x = model.stem(torch.randn(1, 3, size, size, generator=generator))
            for layer in (model.layer1, model.layer2, model.layer3, model.layer4):
                x = layer(x)
            pool, size = model.attnpool, x.square().mean().sqrt()
            for linear, scale in (pool.q_proj, 2.5), (pool.k_proj, 2.5), (pool.v_proj, 1.0):
                linear.weight *= scale / size
    return model


def to_half_where_official(model):
    """OpenAI's mix: convolutions and linear layers in float16, batch norms and positions in
    float32."""
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.half()
    return model

