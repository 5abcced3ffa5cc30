"""What stands around the facts: openings, closings, sentences that tell nothing that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.embedded.template import joined, parse, render

if TYPE_CHECKING:
    from finetune.embedded.draw import Draw

_COUNTS = (1, 1, 1, 2, 3, 5)
"""Of asides."""
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
            "[Somewhere|Meanwhile,] a radio was playing {%genre}.",
            "My neighbour {%first_name} says hello.",
            "It reminded everyone of the old days in {%country}.",
            "{%first_name} from the office next door brought {%dish} for everybody.",
            "[The coffee|The lift|The printer] was out of order again.",
            "[Sorry for|Please excuse] the late reply, I was on holiday in {%country}.",
            "You may have read about {%topic} in the papers.",
            "There is still some {%dish} in the fridge.",
            "Experts have long warned about {%topic}.",
            "This is not the first time that {%topic} has been an issue.",
            "[Frankly|To be honest], I had hoped for {%topic}.",
            "[On another note|Unrelated]: does anyone need a {%color} {%thing}?",
            "The rest of the page is about {%topic} and need not concern us.",
            "We will come back to {%topic} next week.",
            "Some say {%topic} is to blame[, others disagree|].",
            "I will keep this short.",
            "As always, the devil is in the detail.",
            "The {%animal} next door barked the whole time.",
            "Let us know [what you think|if anything is unclear].",
            "Further particulars can be found [elsewhere|in the appendix|on request].",
            "Many had asked for this for a long time.",
            "In the meantime, life goes on.",
            "[Rumours about|Questions about] {%topic} were not answered.",
            "The photo shows a {%color} {%thing}.",
            "[Interestingly|Surprisingly], nobody mentioned {%topic}.",
            "Whoever finds a {%color} {%thing} is asked to keep it.",
        ),
    )
)
_ZH_ASIDES = tuple(
    map(
        parse,
        (
            "关于{%zh_topic}的事以后再说。",
            "顺便说一句，走廊里的{%thing}已经修好了。",
            "大家还聊了聊{%zh_topic}。",
            "食堂今天供应{%dish}。",
            "{%zh_topic}不在此次讨论范围之内。",
            "有人把一个{%thing}忘在了前台。",
            "这也是大家一直关心的问题。",
            "其他事项另行通知。",
            "对此，各方看法不一。",
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
    """A text with an opening, a closing or asides, most of the time with none.

    Args:
        draw: chance.
        text: the text.
    """
    if draw.spoken or draw.chance(0.6):
        return text
    gap = draw.pick(("\n", "\n", "\n\n", " "))
    where = draw.pick(("before", "after", "around", "aside", "aside"))
    if where in ("before", "around"):
        text = _said(draw, _ZH_OPENINGS, _OPENINGS) + gap + text
    if where in ("after", "around"):
        text = text + gap + _said(draw, _ZH_CLOSINGS, _CLOSINGS)
    if where == "aside":
        for _ in range(draw.pick(_COUNTS)):
            aside = joined(render(draw, draw.pick(_ZH_ASIDES if draw.language == "zh" else _ASIDES), str))
            text = f"{text}{gap}{aside}" if draw.chance(0.6) else f"{aside}{gap}{text}"
    return text


def _said(draw: Draw, chinese: tuple[str, ...], english: tuple[tuple[object, ...], ...]) -> str:
    if draw.language == "zh":
        return draw.pick(chinese)
    return joined(render(draw, draw.pick(english), str))  # type: ignore[arg-type]
