"""What stands around the facts: openings, closings, sentences that tell nothing that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.template import joined, parse, render

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_OPENINGS = tuple(
    map(
        parse,
        (
            "Hi team,",
            "Hello [all|everyone|there],",
            "Dear [Sir or Madam|colleagues|customer],",
            "Good [morning|afternoon|evening],",
            "FYI",
            "For your [records|information]:",
            "[Please see|Kindly find] below.",
            "Forwarded message",
            "Just a quick [note|update].",
            "Thank you for [your message|your interest|getting in touch|choosing us].",
            "Here [is|comes] the [latest|information you asked for].",
            "Update:",
            "+++ news +++",
            "As [promised|discussed|agreed], here [are the details|is what you need].",
            "I hope [you are well|this finds you well].",
            "Draft, not for distribution",
            "[Internal|Confidential|Public]",
        ),
    )
)
_CLOSINGS = tuple(
    map(
        parse,
        (
            "Thanks in advance.",
            "[Best|Kind|Warm] regards",
            "Please [contact us|get in touch|let us know] if you have [any questions|further questions].",
            "This message was generated automatically.",
            "All rights reserved.",
            "See the attachment for [details|more].",
            "Errors and omissions excepted.",
            "Looking forward to [hearing from you|your reply].",
            "Thank you for your business.",
            "[Sent from my phone|Sent from a mobile device]",
            "[Please do not reply to this message|Do not reply].",
            "More [news|information] will follow [soon|in due course|shortly].",
            "Subject to change without notice.",
            "Page 1 of 1",
            "That is all for now.",
            "Have a [nice|great|lovely] day!",
            "We apologise for any inconvenience.",
            "Terms and conditions apply.",
            "[Nothing else was recorded|No further remarks].",
        ),
    )
)
_ASIDES = tuple(
    map(
        parse,
        (
            "The {%topic} is a matter for another day.",
            "On a different subject, the {%thing} in the hallway [is still broken|has been repaired].",
            "By the way, somebody left a {%color} {%thing} [at the desk|in the kitchen].",
            "As the saying goes, every {%animal} has its day.",
            "Nobody could have expected that.",
            "The {%thing} [will be discussed separately|is not part of this].",
            "It had been a long day.",
            "This is standard practice.",
            "People talked about {%topic} for a while.",
            "Opinions differ on whether {%topic} matters.",
        ),
    )
)
_ZH_OPENINGS = (
    "您好：",
    "各位好，",
    "尊敬的客户：",
    "【系统通知】",
    "温馨提示：",
    "转发：",
    "您好，",
    "以下为相关信息。",
    "大家好！",
)
_ZH_CLOSINGS = (
    "谢谢！",
    "感谢您的支持。",
    "如有疑问，请随时联系我们。",
    "祝好！",
    "特此告知。",
    "请勿回复本信息。",
    "祝您生活愉快！",
    "请妥善保管。",
    "以上信息仅供参考。",
)


def surrounded(draw: Draw, text: str) -> str:
    """A text with an opening, a closing or an aside, most of the time with none.

    Args:
        draw: chance.
        text: the text.
    """
    if draw.spoken or draw.chance(0.62):
        return text
    gap = draw.pick(("\n", "\n", "\n\n", " "))
    where = draw.pick(("before", "after", "around", "aside"))
    if where in ("before", "around"):
        text = _said(draw, _ZH_OPENINGS, _OPENINGS) + gap + text
    if where in ("after", "around"):
        text = text + gap + _said(draw, _ZH_CLOSINGS, _CLOSINGS)
    if where == "aside" and draw.language == "en":
        aside = joined(render(draw, draw.pick(_ASIDES), str))
        text = f"{text}{gap}{aside}" if draw.chance(0.6) else f"{aside}{gap}{text}"
    return text


def _said(draw: Draw, chinese: tuple[str, ...], english: tuple[tuple[object, ...], ...]) -> str:
    if draw.language == "zh":
        return draw.pick(chinese)
    return joined(render(draw, draw.pick(english), str))  # type: ignore[arg-type]
