"""What each cause asks for: how grave it is, and the remedy, in codes; the door has the words.

Severity (law paper §6.6): A harm to the citizen or tampering, B breach of a limit or duty, C record or data.
"""

from __future__ import annotations

from motcua.inspection.causes import Cause

SEVERITIES: dict[str, str] = {
    **{cause.value: "C" for cause in Cause},
    Cause.LATE_ENTRY.value: "C",
    Cause.STEP_SKIPPED.value: "C",
    Cause.BACK_DATED.value: "A",
    Cause.DUE_MOVED.value: "A",
    Cause.PAUSE_UNLAWFUL.value: "B",
}

REMEDIES: dict[str, str] = {
    Cause.MISSING_HERE: "find_or_enter",
    Cause.MISSING_THERE: "send_whole",
    Cause.DUPLICATE_THERE: "close_duplicate",
    Cause.MISPLACED_THERE: "correct_mapping_and_resend",
    Cause.STEP_LOST: "resend_step",
    Cause.ONLY_RETURN_SENT: "send_finish",
    Cause.STATUS_UNMAPPED: "map_status",
    Cause.UPDATE_REFUSED: "correct_and_resend",
    Cause.ACCEPTED_NOT_SHOWN: "resend_and_ask_portal",
    Cause.UPDATE_NOT_SENT: "send_update",
    Cause.CLOCK_SHIFT: "correct_clock_and_resend",
    Cause.CLOSED_EARLY_THERE: "reopen_there",
    Cause.FINISH_DIFFERS: "resend_finish",
    Cause.PAUSE_NOT_CARRIED: "send_pause",
    Cause.DUE_NOT_CARRIED: "send_due",
    Cause.RULE_DIFFERS: "explain_rule",
    Cause.STEP_SKIPPED: "record_missing_step",
    Cause.LATE_ENTRY: "record_on_time",
    Cause.BACK_DATED: "ask_explanation",
    Cause.DUE_MOVED: "ask_explanation",
    Cause.PAUSE_UNLAWFUL: "ask_explanation",
    Cause.NOT_ENOUGH_DATA: "load_missing_fact",
    Cause.UNEXPLAINED: "look_into",
}
REMEDIES = {str(cause): remedy for cause, remedy in REMEDIES.items()}
