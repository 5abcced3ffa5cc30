"""The recipe for LoRA adapters: configurations, and `python -m finetune.lora`."""
