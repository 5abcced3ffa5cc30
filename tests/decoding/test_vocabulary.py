"""The vocabulary: control tokens are never data, and every byte string can be spelled."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE, Unigram
from transformers import PreTrainedTokenizerFast

from harmony_gen import ModelError, Schema, SchemaError
from harmony_gen.decoding.matcher import Matcher
from harmony_gen.decoding.vocabulary import Vocabulary, end_tokens
from harmony_gen.schema import engine
from support import models

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "n": {"type": "integer"}},
    "required": ["name", "n"],
    "additionalProperties": False,
}
ADDED = ["<think>", "[INST]", "<<think>>", "€", "<|end|>", "<|json|>"]
END = 1


def with_added_tokens() -> PreTrainedTokenizerFast:
    """The embedded tokenizer with more added tokens: some overlap, one is a character, one is space."""
    tokenizer = models.embedded_tokenizer()
    names = ["<think>", "[INST]", "<<think>>", "€", "    "]
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in names])
    return tokenizer


def with_normaliser(normaliser: Any) -> PreTrainedTokenizerFast:
    backend = Tokenizer.from_str(models.embedded_tokenizer().backend_tokenizer.to_str())
    backend.normalizer = normaliser
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")


def metaspace(kind: str, prepend: str) -> PreTrainedTokenizerFast:
    """A small tokenizer of the SentencePiece sort: spaces are ▁, unknown characters are spelled in bytes."""
    control = ["<unk>", "<s>", "</s>"]
    options = {
        "special_tokens": [*control, *(f"<0x{byte:02X}>" for byte in range(256))],
        "initial_alphabet": list('{}[]",:0123456789-.+ abcdefghijklmnopqrstuvwxyz'),
        "vocab_size": 360,
        "show_progress": False,
    }
    tokenizer = Tokenizer(BPE(unk_token="<unk>", byte_fallback=True) if kind == "bpe" else Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend)
    trainer = trainers.BpeTrainer(**options) if kind == "bpe" else trainers.UnigramTrainer(unk_token="<unk>", **options)
    tokenizer.train_from_iterator(["the name of the vendor is acme", "number value string"] * 20, trainer)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = [token for token in saved["added_tokens"] if token["content"] in control]
    saved["model"]["byte_fallback"] = True
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(saved)),
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
    )


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    tokenizer = with_added_tokens()
    return Vocabulary(tokenizer, len(tokenizer), [END])


pieces = st.sampled_from([*ADDED, "<", "<<", ">", "|", "a", " b", "    ", "漢", "é", "\n", '"', "0", "I", "NST]"])


@given(st.lists(pieces, max_size=8).map("".join))
def test_no_text_encodes_to_a_control_token(vocabulary: Vocabulary, text: str) -> None:
    for tokens in (vocabulary.encode(text), vocabulary.encode_bytes(text.encode())):
        assert vocabulary.controls(tokens) == []
        assert vocabulary.bytes_of(tokens) == text.encode()


@given(st.text(max_size=12), st.data())
def test_bytes_cut_anywhere_are_spelled_exactly(vocabulary: Vocabulary, text: str, data: st.DataObject) -> None:
    whole = text.encode()
    cut = data.draw(st.integers(0, len(whole)))
    left, right = vocabulary.encode_bytes(whole[:cut]), vocabulary.encode_bytes(whole[cut:])
    assert (vocabulary.bytes_of(left), vocabulary.bytes_of(right)) == (whole[:cut], whole[cut:])


def test_a_trusted_template_may_write_control_tokens(vocabulary: Vocabulary) -> None:
    assert vocabulary.controls(vocabulary.encode_control("<|json|>a<think>")) == [4, len(models.embedded_tokenizer())]


def test_control_tokens_are_in_no_mask(vocabulary: Vocabulary) -> None:
    schema = Schema.of({"type": "string"})
    matcher = vocabulary.matcher(schema.grammar)
    matcher.consume_tokens(vocabulary.encode_bytes(b'"a'))
    mask = vocabulary.mask(matcher)
    assert not mask[sorted(vocabulary.control)].any()
    assert mask[vocabulary.encode("<")[0]]  # the spelling may be written, character by character
    assert mask[vocabulary.encode("    ")[0]]  # whitespace is data, though it was added
    assert len(vocabulary.encode("    ")) == 1


@pytest.mark.parametrize("spelling", ADDED)
def test_control_spellings_are_forced_as_plain_tokens(vocabulary: Vocabulary, spelling: str) -> None:
    matcher = vocabulary.matcher(Schema.of({"const": f"a{spelling}b"}).grammar)
    written = b""
    while forced := vocabulary.forced(matcher):
        assert vocabulary.controls(forced) == []
        assert matcher.consume_tokens(forced)
        written += vocabulary.bytes_of(forced)
    assert json.loads(written) == f"a{spelling}b"


@pytest.mark.parametrize("spelling", ADDED)
def test_control_spellings_are_reachable_as_data(spelling: str) -> None:
    generator = models.random_llama(with_added_tokens())
    text = json.dumps(f"x{spelling}", ensure_ascii=False)
    assert generator.accepts({"type": "string"}, text)
    result = generator.generate("x", {"enum": [f"x{spelling}"]})
    assert result.text == text
    assert result.tokens[-1] == END
    assert not generator._vocabulary.control.intersection(result.tokens[:-1])


def test_end_tokens_are_offered_only_where_the_text_may_end() -> None:
    tokenizer = models.embedded_tokenizer()
    vocabulary = Vocabulary(tokenizer, len(tokenizer), [1, 0, 3])
    matcher = vocabulary.matcher(Schema.of({"type": "integer", "minimum": 0}).grammar)
    assert not vocabulary.mask(matcher)[[0, 1, 3]].any()
    matcher.consume_tokens(vocabulary.encode("7"))
    assert vocabulary.mask(matcher)[[0, 1, 3]].all()


@pytest.mark.parametrize("end", [1, 0, 3])
def test_each_of_several_end_tokens_ends_the_answer(end: int) -> None:
    tokenizer = models.embedded_tokenizer()
    vocabulary = Vocabulary(tokenizer, len(tokenizer), [1, 0, 3])
    matcher = Matcher(Schema.of({"type": "integer"}), vocabulary, 9)
    assert matcher.accept(vocabulary.encode("7")[0], sampled=True)
    assert end in matcher.allowed()
    assert matcher.accept(end, sampled=True)
    assert matcher.finished
    assert matcher.text == b"7"


def test_an_end_token_that_is_a_plain_word_is_not_data() -> None:
    tokenizer = models.embedded_tokenizer()
    word = tokenizer.encode("the")
    assert len(word) == 1
    vocabulary = Vocabulary(tokenizer, len(tokenizer), word)
    for tokens in (vocabulary.encode("the"), vocabulary.encode_bytes(b"the")):
        assert word[0] not in tokens
        assert vocabulary.bytes_of(tokens) == b"the"
    assert models.random_llama(tokenizer).accepts({"type": "string"}, '"the"')


def test_logits_wider_than_the_tokenizer() -> None:
    tokenizer = models.embedded_tokenizer()
    generator = models.random_llama(tokenizer, width=len(tokenizer) + 100)
    result = generator.generate("x", PERSON)
    assert max(result.tokens) < len(tokenizer)
    matcher = Matcher(Schema.of(PERSON), generator._vocabulary, 99)
    assert generator._vocabulary.mask(matcher._matcher).shape == (len(tokenizer) + 100,)
    assert matcher.allowed().max() < len(tokenizer)


def test_logits_narrower_than_the_tokenizer() -> None:
    tokenizer = models.embedded_tokenizer()
    generator = models.random_llama(tokenizer, width=1000)
    vocabulary = generator._vocabulary
    text = "invoice Rechnung quarterly revenue 漢字"
    assert max(tokenizer.encode(text)) >= 1000  # else this tests nothing
    for tokens in (vocabulary.encode(text), vocabulary.encode_bytes(text.encode())):
        assert max(tokens) < 1000
        assert vocabulary.bytes_of(tokens) == text.encode()
    assert max(generator.generate(text, PERSON).tokens) < 1000
    assert generator.generate(text, {"const": text}).value == text


@pytest.mark.parametrize("normaliser", [normalizers.NFC(), normalizers.NFKC(), normalizers.Lowercase()], ids=str)
def test_a_normaliser_changes_no_answer(normaliser: Any) -> None:
    generator = models.random_llama(with_normaliser(normaliser))
    text = "Cafe\u0301 ﬁ"
    assert generator.generate("x", {"const": text}).value == text
    document = json.dumps({text: f"A{text}"}, ensure_ascii=False, separators=(",", ":"))
    schema = {"type": "object", "properties": {text: {"enum": [f"A{text}", f"B{text}"]}}, "required": [text]}
    schema["additionalProperties"] = False
    assert generator.accepts(schema, document)
    result = generator.generate("x", schema)
    assert result.finish == "complete"
    assert text in result.value


def test_a_normaliser_makes_no_control_token_of_data() -> None:
    tokenizer = with_normaliser(normalizers.Lowercase())
    tokenizer.add_tokens([AddedToken("<think>", special=False, normalized=True)])
    think = tokenizer.convert_tokens_to_ids("<think>")
    assert tokenizer.encode("<THINK>") == [think]  # else this tests nothing
    vocabulary = Vocabulary(tokenizer, len(tokenizer), [END])
    assert vocabulary.controls(vocabulary.encode("a<THINK>")) == []
    assert vocabulary.bytes_of(vocabulary.encode("<THINK>")) == b"<THINK>"


def test_a_text_that_cannot_be_spelled_is_said_so() -> None:
    backend = Tokenizer(BPE(vocab={"</s>": 0, "a": 1, "b": 2}, merges=[]))
    backend.normalizer = normalizers.Lowercase()
    backend.decoder = decoders.ByteFallback()
    backend.add_special_tokens(["</s>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")
    vocabulary = Vocabulary(tokenizer, 3, [0])
    with pytest.raises(ModelError, match="cannot spell 'AB'"):
        vocabulary.encode_bytes(b"AB")


@pytest.mark.parametrize("prepend", ["always", "first", "never"])
@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_metaspace_tokenizers(kind: str, prepend: str) -> None:
    tokenizer = metaspace(kind, prepend)
    vocabulary = Vocabulary(tokenizer, len(tokenizer), [2])
    for text in ("the name", " the name", "a  b", "Ünï 漢字 \U0001f600", '{"name":" x"}', "a</s>b<s> c"):
        whole = text.encode()
        assert vocabulary.bytes_of(vocabulary.encode_bytes(whole)) == whole
        assert vocabulary.bytes_of(vocabulary.encode(text)) in (whole, b" " + whole)
        assert vocabulary.controls(vocabulary.encode(text)) == []
        for cut in range(len(whole)):
            assert vocabulary.bytes_of(vocabulary.encode_bytes(whole[cut:])) == whole[cut:]
    generator = models.random_llama(tokenizer)
    for text in ('{"name":" the é漢","n":-12}', '{"name":"</s>","n":0}'):
        assert generator.accepts(PERSON, text)
    result = generator.generate("the name", PERSON)
    assert vocabulary.bytes_of(result.tokens[:-1]).decode() == result.text
    assert generator.generate("x", {"const": " the </s> 漢"}).value == " the </s> 漢"


def test_a_slow_tokenizer_is_refused() -> None:
    with pytest.raises(ModelError, match="not a fast tokenizer"):
        Vocabulary(SimpleNamespace(is_fast=False), 10, [1])  # type: ignore[arg-type]


@pytest.mark.parametrize("ends", [[], [5000]])
def test_a_model_without_an_end_token_is_refused(ends: list[int]) -> None:
    with pytest.raises(ModelError, match="no end token"):
        Vocabulary(models.embedded_tokenizer(), 3072, ends)


def test_end_tokens_come_from_tokenizer_and_configurations() -> None:
    def ends(of_tokenizer: Any, of_generation: Any, of_config: Any) -> tuple[int, ...]:
        model = SimpleNamespace(
            config=SimpleNamespace(eos_token_id=of_config),
            generation_config=SimpleNamespace(eos_token_id=of_generation),
        )
        return end_tokens(model, SimpleNamespace(eos_token_id=of_tokenizer))

    assert ends(5, [7, 5], 9) == (5, 7, 9)
    assert ends(None, None, [3]) == (3,)
    assert ends(None, None, None) == ()


def test_compiled_grammars_are_copies_and_may_be_forgotten(vocabulary: Vocabulary) -> None:
    grammar = Schema.of({"enum": ["left", "right"]}).grammar
    first, second = vocabulary.matcher(grammar), vocabulary.matcher(grammar)
    assert first.consume_tokens(vocabulary.encode_bytes(b'"le'))
    assert second.consume_tokens(vocabulary.encode_bytes(b'"ri'))
    vocabulary.forget(grammar)
    vocabulary.forget(grammar)
    assert vocabulary.matcher(grammar).consume_tokens(vocabulary.encode_bytes(b'"left"'))


def test_only_so_many_grammars_are_kept() -> None:
    tokenizer = models.embedded_tokenizer()
    vocabulary = Vocabulary(tokenizer, len(tokenizer), [END])
    grammars = [Schema.of({"const": f"number {index}"}).grammar for index in range(130)]
    for grammar in [*grammars, grammars[0]]:
        data = vocabulary.matcher(grammar).compute_ff_bytes()
        assert data.startswith(b'"number ')
    assert len(vocabulary._matchers) == 128


def test_a_grammar_that_does_not_compile_is_a_schema_error(vocabulary: Vocabulary) -> None:
    with pytest.raises(SchemaError, match="does not compile for this vocabulary"):
        vocabulary.matcher("start: nothing")


@pytest.mark.parametrize("prefix", [b"", b'"', b'"caf', b'"caf\xc3', b"1"])
def test_masks_agree_with_the_bytes_of_the_tokens(vocabulary: Vocabulary, prefix: bytes) -> None:
    grammar = Schema.of({"anyOf": [{"type": "string", "maxLength": 6}, {"enum": [1, 12, True]}]}).grammar
    matcher, twin = vocabulary.matcher(grammar), engine.byte_matcher(grammar)
    assert matcher.consume_tokens(vocabulary.encode_bytes(prefix))
    assert twin.consume_tokens(list(prefix))
    mask = vocabulary.mask(matcher)
    for token in set(range(vocabulary.width)) - vocabulary.control:
        data = list(vocabulary.bytes_of([token]))
        if data:  # the byte 0xff, which is in no text, is no token to the engine
            assert mask[token] == (twin.validate_tokens(data) == len(data)), data
    assert mask[END] == twin.is_accepting()
