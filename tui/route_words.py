"""The steps by which a call finds its way, in words."""

from __future__ import annotations

from collections.abc import Iterable

from engine.desk.dialling import RouteStep
from tui.texts import N_, _

_SENTENCES = {
    "dialled": N_("extension {caller} dials {number}, by the dial plan {plan}"),
    "from-trunk": N_("trunk {trunk} brings a call for {number} from {caller}"),
    "from-trunk-anonymous": N_("trunk {trunk} brings a call for {number} from somebody without a number"),
    "written": N_("{number} is dialled here as {as}"),
    "own-number": N_("{number} is the caller's own number"),
    "extension": N_("{number} is an extension of the office"),
    "code": N_("{number} is the code of the service {service}"),
    "without-prefix": N_("without the outside prefix {prefix} it is the emergency number {number}"),
    "closed": N_("rule {rule} does not hold: it is {at}, outside of schedule {schedule}"),
    "rule": N_("rule {rule} is the one with the longest prefix: called {called}, caller {caller}"),
    "rule-when": N_("rule {rule} is the one with the longest prefix: called {called}, caller {caller}, "
                    "and schedule {when} holds"),
    "inbound": N_("inbound number {rule} is the one with the longest prefix: {called}"),
    "inbound-when": N_("inbound number {rule} is the one with the longest prefix: {called}, "
                       "and schedule {when} holds"),
    "emergency": N_("{number} is an emergency number: no level, list or cap stops it"),
    "level": N_("the level {level} is needed, and the caller has {own}"),
    "level-lacking": N_("the level {level} is needed, and the caller has {own}"),
    "level-none": N_("the level {level} is needed, and the caller has none"),
    "called-becomes": N_("{strip} digits are taken away and '{prepend}' is put before: the number is {number}"),
    "shown": N_("the outside is shown {caller} as the caller"),
    "to-extension": N_("it leads to extension {number}"),
    "to-service": N_("it leads to the service {service}"),
    "to-trunks": N_("it goes as {number} over the first of these trunks that takes it: {trunks}"),
    "outside-number": N_("{number} is the outside number of extension {extension}"),
    "to-group": N_("it leads to the {kind} group {number}"),
    "no-group": N_("there is no group {number}"),
    "prefix": N_("nobody inside has it: behind the outside prefix {prefix} it is {number}"),
    "no-prefix": N_("nobody inside has it: {number} is an outside number"),
    "nobody": N_("{number} is nobody's number"),
    "nothing-left": N_("no digit of the number is left"),
    "no-trunk": N_("the rule has no trunk that exists"),
    "trunk-forbidden": N_("trunk {trunk} takes no calls out"),
    "screen-white": N_("screening row {row} lets it pass: caller {caller}, called {called}"),
    "screen-rate": N_("screening row {row} blocks {rate} % of such calls: caller {caller}, called {called}"),
    "screen-black": N_("screening row {row} blocks it: caller {caller}, called {called}"),
    "refused": N_("the call is refused: {status} {reason}"),
}  # fmt: skip
"""By the key of the step; a variant is for a value that is empty."""
_VARIANTS = {
    "from-trunk": ("caller", "from-trunk", "from-trunk-anonymous"),
    "rule": ("when", "rule-when", "rule"),
    "inbound": ("when", "inbound-when", "inbound"),
    "level-lacking": ("own", "level-lacking", "level-none"),
    "prefix": ("prefix", "prefix", "no-prefix"),
}
"""By the key of the step: the value that decides, and the sentences with it and without."""


def step_texts(steps: Iterable[RouteStep]) -> list[str]:
    """The steps in the console's language."""
    return [_(sentence_of(step)).format(**step.values) for step in steps]


def english_steps(steps: Iterable[RouteStep]) -> list[str]:
    """The steps as the command line tells them."""
    return [sentence_of(step).format(**step.values) for step in steps]


def sentence_of(step: RouteStep) -> str:
    """The English sentence of a step, with names where its values go."""
    value, filled, empty = _VARIANTS.get(step.key, ("", step.key, step.key))
    return _SENTENCES[filled if not value or step.values.get(value) else empty]
