"""`python -m finetune.lora CONFIG`: as `harmony-gen finetune`, for `torchrun -m`."""

import sys

from harmony_gen.cli import main

sys.exit(main(["finetune", *sys.argv[1:]]))
