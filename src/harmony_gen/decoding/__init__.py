"""How tokens are chosen: vocabulary, matcher, sampling, the loop, the KV cache."""
