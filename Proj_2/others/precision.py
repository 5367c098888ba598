"""Whether matrix products in bfloat16 are worth having: numbers of 16 bits with the range of float32."""

from pathlib import Path


def has_fast_bfloat16():
    """Whether this processor multiplies bfloat16 matrices in hardware, as far as the system tells (Linux, x86)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
