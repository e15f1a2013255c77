"""A small diffusion model with weights drawn from a fixed seed: two attention blocks over patches, with captions."""

import hashlib
import math

import torch
from torch import nn

BASE = {
    "name": "small-unet-1",
    "side": 32,
    "patch": 4,
    "width": 64,
    "blocks": 2,
    "caption": 32,
    "seed": 20_260_101,
}


def caption_vector(text: str) -> torch.Tensor:
    """Its words as signs in a short vector: no tokenizer, no download."""
    vector = torch.zeros(BASE["caption"])
    for word in text.lower().split():
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % BASE["caption"]] += 1 if digest[1] % 2 else -1
    return vector / max(1.0, vector.norm().item())


class Attention(nn.Module):
    """Each patch looks at all patches, by the names that adapters know."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = nn.functional.scaled_dot_product_attention(self.to_q(x), self.to_k(x), self.to_v(x))
        return self.to_out(seen)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width)
        self.grow, self.shrink = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.first(x))
        return x + self.shrink(nn.functional.gelu(self.grow(self.second(x))))


class SmallUnet(nn.Module):
    """Guesses the noise in a picture, from the picture, the time and the caption."""

    def __init__(self) -> None:
        super().__init__()
        width, patch = BASE["width"], BASE["patch"]
        count = (BASE["side"] // patch) ** 2
        self.enter = nn.Linear(3 * patch * patch, width)
        self.place = nn.Parameter(torch.randn(count, width) * 0.1)
        self.about = nn.Linear(BASE["caption"] + 16, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(BASE["blocks"]))
        self.leave = nn.Linear(width, 3 * patch * patch)

    def forward(self, picture: torch.Tensor, time: torch.Tensor, caption: torch.Tensor) -> torch.Tensor:
        patch, side = BASE["patch"], BASE["side"]
        pieces = nn.functional.unfold(picture, patch, stride=patch).transpose(1, 2)
        waves = time[:, None] * math.pi * torch.arange(1, 9)
        about = torch.cat([caption, torch.sin(waves), torch.cos(waves)], dim=1)
        x = self.enter(pieces) + self.place + self.about(about)[:, None]
        for block in self.blocks:
            x = block(x)
        return nn.functional.fold(self.leave(x).transpose(1, 2), (side, side), patch, stride=patch)


def base_model() -> SmallUnet:
    """The same weights on every machine."""
    state = torch.random.get_rng_state()
    torch.manual_seed(BASE["seed"])
    model = SmallUnet().requires_grad_(False)
    torch.random.set_rng_state(state)
    return model
