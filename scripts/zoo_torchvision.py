"""The models of torchvision for zoo.py.  They have no configs: bare files of weights alone."""

import torch
import torchvision.models as models

from zoo_models import Built, Case, stated

RESNETS = "resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d".split()
RESNETS += "resnext101_64x4d wide_resnet50_2 wide_resnet101_2".split()
VITS = "vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14".split()


class BuiltTorchvision(Built):
    blocks = r"encoder\.layers\.encoder_layer_"

    def forms(self):
        return ("bare", "bare-old") if hasattr(self.model, "heads") else ("bare",)

    def save(self, form, folder, million):
        path = super().save("bare", folder, million)
        if form == "bare-old":  # before torchvision 0.12
            state = torch.load(path)
            names = ((".mlp.0.", ".mlp.linear_1."), (".mlp.3.", ".mlp.linear_2."))
            for new, old in names:
                state = {key.replace(new, old): value for key, value in state.items()}
            torch.save(state, path)
        return path

    def features(self, pixels):
        return {"penultimate": self.model(pixels)}

    def state(self):
        head = "heads.head" if hasattr(self.model, "heads") else "fc"
        width = self.model.hidden_dim if hasattr(self.model, "heads") else self.model.inplanes
        classifier = torch.nn.Linear(width, 10).state_dict()
        return self.model.state_dict() | {f"{head}.{k}": v for k, v in classifier.items()}


def build(name, weights):
    transform = weights.transforms()
    if name in VITS:
        with torch.device("meta"):
            depth = len(getattr(models, name)().encoder.layers)
        size = transform.crop_size[0]
        model = getattr(models, name)(image_size=size)
        model.encoder.layers = model.encoder.layers[:2]
        model.heads = torch.nn.Identity()
    else:
        model, depth = getattr(models, name)(), 0
        model.fc = torch.nn.Identity()
    truth = stated(
        transform.resize_size[0],
        transform.crop_size[0],
        transform.interpolation.value,
        False,
        transform.mean,
        transform.std,
    )
    if name in VITS:
        truth["heads"] = model.encoder.layers[0].self_attention.num_heads
        truth |= {"norm_eps": 1e-6, "activation": "gelu", "pool": "cls"}
    built = BuiltTorchvision(model, transform, truth)
    built.depth = depth
    built.names = tuple(model.state_dict())
    return built


def cases():
    for name in VITS + RESNETS:
        for weights in models.get_model_weights(name):
            family = "VisionTransformer" if name in VITS else "ResNet"
            title = f"{name}.{weights.name}"
            yield Case("torchvision", family, title, lambda n=name, w=weights: build(n, w))
