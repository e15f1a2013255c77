"""The GPUs that are met on the clouds and under desks: data for ``gpus``. Memory is GB as it is advertised."""

from __future__ import annotations

from dataclasses import dataclass

NVIDIA, AMD, APPLE = "NVIDIA", "AMD", "Apple"


@dataclass(frozen=True, slots=True)
class GpuModel:
    """One model. ``name`` is its canonical name; two models differ where their price or speed does."""

    name: str
    vram_gb: int
    """Usual memory; 0 where it is shared with the computer (Apple)."""
    vendor: str = NVIDIA
    family: str = ""
    aliases: tuple[str, ...] = ()
    """Other spellings. One that several models share is a family word: it is asked about, never chosen."""
    forms: tuple[str, ...] = ()
    """Form factors (``SXM``, ``PCIe`` …) that may be said with the name and are this model."""
    covers: tuple[str, ...] = ()
    """Models that this one stands for when the form was not said (``A100 80GB``: SXM or PCIe)."""


def _geforce() -> tuple[GpuModel, ...]:
    """GeForce by series; the plain number is the plain card, never its Ti or SUPER."""
    rows = {
        "RTX 50": "5090 32, 5090 D 32, 5080 16, 5070 Ti 16, 5070 12, 5060 Ti 8, 5060 8, 5050 8",
        "RTX 40": "4090 24, 4090 D 24, 4080 SUPER 16, 4080 16, 4070 Ti SUPER 16, 4070 Ti 12, 4070 SUPER 12, "
        "4070 12, 4060 Ti 8, 4060 8",
        "RTX 30": "3090 Ti 24, 3090 24, 3080 Ti 12, 3080 10, 3070 Ti 8, 3070 8, 3060 Ti 8, 3060 12, 3050 8",
        "RTX 20": "2080 Ti 11, 2080 SUPER 8, 2080 8, 2070 SUPER 8, 2070 8, 2060 SUPER 8, 2060 6",
        "GTX 16": "1660 Ti 6, 1660 SUPER 6, 1660 6, 1650 SUPER 4, 1650 4, 1630 4",
        "GTX 10": "1080 Ti 11, 1080 8, 1070 Ti 8, 1070 8, 1060 6",
    }
    models = []
    for family, cards in rows.items():
        for card in cards.split(", "):
            number, _, gb = card.rpartition(" ")
            aliases = [number]
            if number.endswith(" SUPER"):
                short = number.removesuffix(" SUPER")
                aliases += [f"{short}S", f"{family[:3]} {short}S"]
                if short.endswith(" Ti"):
                    aliases += [f"{short[:4]}S Ti", f"{family[:3]} {short[:4]}S Ti"]
            models.append(GpuModel(f"{family[:3]} {number}", int(gb), NVIDIA, family, tuple(aliases)))
    return tuple(models)


def _laptops() -> tuple[GpuModel, ...]:
    """Laptop cards share a number with a desktop card and are another chip with other memory."""
    cards = (
        "5090 24, 5080 16, 5070 Ti 12, 5070 8, 5060 8, 5050 8, 4090 16, 4080 12, 4070 8, 4060 8, 4050 6, "
        "3080 Ti 16, 3080 8, 3070 Ti 8, 3070 8, 3060 6, 3050 Ti 4, 3050 4"
    )
    pairs = [card.rpartition(" ") for card in cards.split(", ")]
    return tuple(
        GpuModel(f"RTX {number} Laptop", int(gb), NVIDIA, "Laptop", (f"{number} Laptop", f"{number} Mobile"))
        for number, _, gb in pairs
    )


def _apple() -> tuple[GpuModel, ...]:
    """Apple chips compute with the memory of the computer."""
    chips = [f"M{n}{size}" for n in range(1, 6) for size in ("", " Pro", " Max", " Ultra")]
    return tuple(GpuModel(f"Apple {chip}", 0, APPLE, "Apple") for chip in chips)


_SIX, _FIVE, _FOUR = ("6000", "RTX 6000"), ("5000", "RTX 5000"), ("4000", "RTX 4000")
_TWO, _HALF = ("2000", "RTX 2000"), ("4500", "RTX 4500")

_WORKSTATION = (
    GpuModel("RTX A400", 4, NVIDIA, "RTX A", ("A400",)),
    GpuModel("RTX A1000", 8, NVIDIA, "RTX A", ("A1000",)),
    GpuModel("RTX A2000", 6, NVIDIA, "RTX A", ("A2000", *_TWO)),
    GpuModel("RTX A4000", 16, NVIDIA, "RTX A", ("A4000", *_FOUR)),
    GpuModel("RTX A4500", 20, NVIDIA, "RTX A", ("A4500", *_HALF)),
    GpuModel("RTX A5000", 24, NVIDIA, "RTX A", ("A5000", *_FIVE)),
    GpuModel("RTX A5500", 24, NVIDIA, "RTX A", ("A5500",)),
    GpuModel("RTX A6000", 48, NVIDIA, "RTX A", ("A6000", *_SIX)),
    GpuModel("RTX 2000 Ada", 16, NVIDIA, "Ada", ("2000 Ada", "A2000 Ada", *_TWO)),
    GpuModel("RTX 4000 Ada", 20, NVIDIA, "Ada", ("4000 Ada", "A4000 Ada", *_FOUR)),
    GpuModel("RTX 4000 SFF Ada", 20, NVIDIA, "Ada", ("4000 SFF Ada", "4000 SFF", "RTX 4000 SFF")),
    GpuModel("RTX 4500 Ada", 24, NVIDIA, "Ada", ("4500 Ada", "A4500 Ada", *_HALF)),
    GpuModel("RTX 5000 Ada", 32, NVIDIA, "Ada", ("5000 Ada", "A5000 Ada", *_FIVE)),
    GpuModel("RTX 5880 Ada", 48, NVIDIA, "Ada", ("5880 Ada", "5880", "RTX 5880")),
    GpuModel("RTX 6000 Ada", 48, NVIDIA, "Ada", ("6000 Ada", "A6000 Ada", *_SIX)),
    GpuModel("RTX PRO 2000", 16, NVIDIA, "RTX PRO", ("PRO 2000", *_TWO)),
    GpuModel("RTX PRO 4000", 24, NVIDIA, "RTX PRO", ("PRO 4000", *_FOUR)),
    GpuModel("RTX PRO 4500", 32, NVIDIA, "RTX PRO", ("PRO 4500", *_HALF)),
    GpuModel("RTX PRO 5000", 48, NVIDIA, "RTX PRO", ("PRO 5000", *_FIVE)),
    GpuModel("RTX PRO 6000", 96, NVIDIA, "RTX PRO", ("PRO 6000", *_SIX),
             covers=("RTX PRO 6000 Workstation", "RTX PRO 6000 Server")),
    GpuModel("RTX PRO 6000 Workstation", 96, NVIDIA, "RTX PRO",
             ("PRO 6000 Workstation", "PRO 6000 WS", "RTX PRO 6000 WS")),
    GpuModel("RTX PRO 6000 Server", 96, NVIDIA, "RTX PRO", ("PRO 6000 Server", "PRO 6000 S", "RTX PRO 6000 S")),
    GpuModel("RTX PRO 6000 Max-Q", 96, NVIDIA, "RTX PRO", ("PRO 6000 Max-Q", "RTX PRO 6000 Max-Q Workstation")),
    GpuModel("Quadro RTX 4000", 8, NVIDIA, "Quadro", ("Q RTX 4000", *_FOUR)),
    GpuModel("Quadro RTX 5000", 16, NVIDIA, "Quadro", ("Q RTX 5000", *_FIVE)),
    GpuModel("Quadro RTX 6000", 24, NVIDIA, "Quadro", ("Q RTX 6000", *_SIX)),
    GpuModel("Quadro RTX 8000", 48, NVIDIA, "Quadro", ("Q RTX 8000", "RTX 8000", "8000")),
    GpuModel("TITAN RTX", 24, NVIDIA, "TITAN"),
    GpuModel("TITAN V", 12, NVIDIA, "TITAN"),
    GpuModel("TITAN Xp", 12, NVIDIA, "TITAN"),
)  # fmt: skip

_SXM, _PCIE = ("SXM",), ("PCIe",)

_DATA_CENTRE = (
    GpuModel("B300", 288, NVIDIA, "Blackwell", ("B300 SXM6 AC", "B300 PC"), _SXM),
    GpuModel("B200", 180, NVIDIA, "Blackwell", ("HGX B200",), _SXM),
    GpuModel("GB200", 186, NVIDIA, "Blackwell"),
    GpuModel("GH200", 96, NVIDIA, "Hopper", ("GH200 480GB", "GH200 120GB"), _SXM),
    GpuModel("H200", 141, NVIDIA, "Hopper", ("HGX H200",), _SXM),
    GpuModel("H200 NVL", 141, NVIDIA, "Hopper"),
    GpuModel("H100 SXM", 80, NVIDIA, "Hopper", ("H100", "H100 80GB HBM3", "H100 HBM3"), _SXM),
    GpuModel("H100 PCIe", 80, NVIDIA, "Hopper", ("H100",), _PCIE),
    GpuModel("H100 NVL", 94, NVIDIA, "Hopper", ("H100",), ("NVL",)),
    GpuModel("H20", 96, NVIDIA, "Hopper"),
    GpuModel("A100 40GB", 40, NVIDIA, "Ampere", ("A100",), covers=("A100 SXM 40GB", "A100 PCIe 40GB")),
    GpuModel("A100 80GB", 80, NVIDIA, "Ampere", ("A100",), covers=("A100 SXM 80GB", "A100 PCIe 80GB")),
    GpuModel("A100 SXM 40GB", 40, NVIDIA, "Ampere", ("A100",), _SXM),
    GpuModel("A100 SXM 80GB", 80, NVIDIA, "Ampere", ("A100",), _SXM),
    GpuModel("A100 PCIe 40GB", 40, NVIDIA, "Ampere", ("A100",), _PCIE),
    GpuModel("A100 PCIe 80GB", 80, NVIDIA, "Ampere", ("A100",), _PCIE),
    GpuModel("A100X", 80, NVIDIA, "Ampere"),
    GpuModel("A800 PCIe", 80, NVIDIA, "Ampere", ("A800",), _PCIE),
    GpuModel("A40", 48, NVIDIA, "Ampere", (), _PCIE),
    GpuModel("A30", 24, NVIDIA, "Ampere", ("RTX A30",), _PCIE),
    GpuModel("A16", 16, NVIDIA, "Ampere"),
    GpuModel("A10G", 24, NVIDIA, "Ampere"),
    GpuModel("A10", 24, NVIDIA, "Ampere", (), _PCIE),
    GpuModel("A2", 16, NVIDIA, "Ampere"),
    GpuModel("L40S", 48, NVIDIA, "Ada"),
    GpuModel("L40", 48, NVIDIA, "Ada"),
    GpuModel("L4", 24, NVIDIA, "Ada"),
    GpuModel("T4", 16, NVIDIA, "Turing"),
    GpuModel("V100 32GB", 32, NVIDIA, "Volta", ("V100",), ("SXM", "PCIe")),
    GpuModel("V100 16GB", 16, NVIDIA, "Volta", ("V100",), ("SXM", "PCIe", "FHHL")),
    GpuModel("P100", 16, NVIDIA, "Pascal", (), ("SXM", "PCIe")),
    GpuModel("P40", 24, NVIDIA, "Pascal"),
    GpuModel("P4", 8, NVIDIA, "Pascal"),
    GpuModel("MI355X", 288, AMD, "Instinct", (), ("OAM",)),
    GpuModel("MI325X", 256, AMD, "Instinct", (), ("OAM",)),
    GpuModel("MI300X", 192, AMD, "Instinct", ("MI300",), ("OAM",)),
    GpuModel("MI250X", 128, AMD, "Instinct", (), ("OAM",)),
    GpuModel("MI250", 128, AMD, "Instinct", (), ("OAM",)),
    GpuModel("MI210", 64, AMD, "Instinct", (), _PCIE),
    GpuModel("MI100", 32, AMD, "Instinct"),
    GpuModel("RX 9070 XT", 16, AMD, "Radeon", ("9070 XT",)),
    GpuModel("RX 7900 XTX", 24, AMD, "Radeon", ("7900 XTX",)),
    GpuModel("RX 7900 XT", 20, AMD, "Radeon", ("7900 XT",)),
    GpuModel("RX 6900 XT", 16, AMD, "Radeon", ("6900 XT",)),
    GpuModel("PRO W7900", 48, AMD, "Radeon", ("W7900",)),
)

CATALOGUE: tuple[GpuModel, ...] = (*_geforce(), *_laptops(), *_WORKSTATION, *_DATA_CENTRE, *_apple())
