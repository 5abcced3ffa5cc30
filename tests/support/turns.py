"""Models with random weights whose tokenizers and templates know thoughts, tools or the harmony format."""

from __future__ import annotations

from transformers import PreTrainedTokenizerFast

from harmony_gen import Generator
from support import models

HARMONY_TOKENS = (
    "<|return|>",
    "<|constrain|>",
    "<|channel|>",
    "<|start|>",
    "<|message|>",
    "<|call|>",
    "<|endoftext|>",
)

HARMONY = (
    "<|start|>system<|message|>Reasoning: {{ reasoning_effort }}<|end|>"
    "{% for m in messages %}<|start|>{{ 'developer' if m.role == 'system' else m.role }}<|message|>{{ m.content }}"
    "<|end|>{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""In short, what the template of gpt-oss writes."""

THINK = (
    "{% for m in messages %}<|text|>{{ m.role }}: {{ m.content }}<|end|>{% endfor %}{% if tools %}<tools>"
    "{{ tools | tojson }}</tools> as <tool_call></tool_call>{% endif %}<|text|>assistant: "
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{# opens <think> itself #}"
)
"""As Qwen 3's: an empty thought stands in the prompt where there is to be none."""

OPENS = "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}<think>\n{# the model writes </think> #}"
"""As DeepSeek R1's: thoughts are always begun."""

PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}<|json|>"


def generator(template: str | None, control: tuple[str, ...] = (), seed: int = 0, turn: str = "auto") -> Generator:
    """A random llama over the embedded vocabulary, some control tokens added."""
    tokenizer: PreTrainedTokenizerFast = models.embedded_tokenizer()
    if control:
        tokenizer.add_special_tokens({"additional_special_tokens": list(control)}, replace_extra_special_tokens=False)
    tokenizer.chat_template = template
    made = models.random_llama(tokenizer, seed=seed)
    if "<|return|>" in control:
        made._model.config.eos_token_id = tokenizer.convert_tokens_to_ids(["<|return|>", "<|call|>", "<|endoftext|>"])
    return Generator(made._model, tokenizer, turn=turn)
