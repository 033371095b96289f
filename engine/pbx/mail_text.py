"""The mail that tells of a message in a box: its words, and the message itself."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import NamedTuple

_WORDS = {
    "en": {
        "subject": "Message from {caller} for {box} ({length})",
        "body": (
            "{caller} has left a message for extension {box}.\n\n"
            "When: {when}\nLength: {length}\n\n"
            "{how}\nDial *97 on your phone to hear it, too.\n\n{office}\n"
        ),
        "attached": "The message is attached.",
        "kept": "The message waits in your box.",
        "nobody": "a withheld number",
        "when": "%Y-%m-%d %H:%M",
    },
    "zh": {
        "subject": "{caller} 给 {box} 的留言（{length}）",
        "body": (
            "{caller} 给分机 {box} 留了言。\n\n"
            "时间：{when}\n时长：{length}\n\n"
            "{how}\n也可以用话机拨 *97 收听。\n\n{office}\n"
        ),
        "attached": "留言录音见附件。",
        "kept": "留言保存在您的语音信箱中。",
        "nobody": "未显示号码的来电者",
        "when": "%Y年%m月%d日 %H:%M",
    },
}


class Letter(NamedTuple):
    """What a mail tells."""

    sender: str
    to: str
    box: str
    caller: str | None
    caller_name: str | None
    at: datetime
    """In the office's own time."""
    seconds: int
    office: str
    language: str
    file: Path
    is_attached: bool


def write_letter(letter: Letter) -> EmailMessage:
    """The mail, the recording read from its file; raises ``OSError``. Belongs on a thread."""
    words = _WORDS.get(letter.language, _WORDS["en"])
    caller = letter.caller or words["nobody"]
    if letter.caller and letter.caller_name:
        caller = f"{letter.caller_name} ({letter.caller})"
    said = {
        "caller": caller,
        "box": letter.box,
        "when": letter.at.strftime(words["when"]),
        "length": f"{letter.seconds // 60}:{letter.seconds % 60:02d}",
        "how": words["attached" if letter.is_attached else "kept"],
        "office": letter.office,
    }
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = letter.sender, letter.to
    mail["Subject"] = words["subject"].format(**said)
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = make_msgid(domain=letter.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words["body"].format(**said))
    if letter.is_attached:
        name = f"{letter.box}-{letter.at:%Y%m%d-%H%M%S}.wav"
        mail.add_attachment(letter.file.read_bytes(), maintype="audio", subtype="x-wav", filename=name)
    return mail
