"""A place in the tokens of one formula: look, take, or refuse with the place named."""

from __future__ import annotations

from typing import NoReturn

from rnetstats.formula.tokens import Literal, Token, refuse, tokenize

__all__ = ["Cursor"]


class Cursor:
    """Reads the tokens of a formula from left to right."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = tokenize(formula)
        self._index = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self._index]

    def advance(self) -> Token:
        """Take the next token, whatever it is; the end is never passed."""
        token = self.token
        if token.kind != "end":
            self._index += 1
        return token

    def at(self, mark: str) -> bool:
        """Say whether the next token is this mark."""
        return self.token.kind == "mark" and self.token.text == mark

    def at_call(self) -> bool:
        """Say whether the next tokens are a name and an opening parenthesis."""
        if self.token.kind != "name" or self.token.quoted:
            return False
        after = self.tokens[self._index + 1]
        return after.kind == "mark" and after.text == "("

    def take(self, mark: str) -> bool:
        """Take this mark if it comes next, and say whether it did."""
        found = self.at(mark)
        if found:
            self._index += 1
        return found

    def expect(self, mark: str, reason: str) -> None:
        """Take this mark, or refuse what stands there instead."""
        if not self.take(mark):
            self.refuse(f"expected {mark!r}, not {self._shown()}", reason + self._spaced())

    def column(self, reason: str) -> str:
        """Take a column's name."""
        token = self.token
        if token.kind != "name":
            self.refuse(f"expected a column's name, not {self._shown()}", reason)
        if self.at_call():
            self.refuse(f"{token.text}(...) cannot stand here", reason)
        if not token.quoted and token.text in ("True", "False"):
            self.refuse(f"{token.text} is a value", f"the column is written `{token.text}`")
        return str(self.advance().value)

    def literal(self, reason: str) -> Literal:
        """Take a number, a quoted text, True or False."""
        token = self.token
        if token.kind in ("number", "string"):
            return self.advance().value
        if not token.quoted and token.text in ("True", "False"):
            return self.advance().text == "True"
        hint = f'; a text is quoted: "{token.text}"' if token.kind == "name" else ""
        return self.refuse(
            f"expected a number, a quoted text, True or False, not {self._shown()}", reason + hint
        )

    def refuse(self, what: str, reason: str, token: Token | None = None) -> NoReturn:
        """Refuse a token, the next one unless another is given."""
        refuse(self.formula, (token or self.token).position, what, reason)

    def unexpected(self, reason: str) -> NoReturn:
        """Refuse the next token because nothing may read it here."""
        self.refuse(f"{self._shown()} cannot stand here", reason + self._spaced())

    def _spaced(self) -> str:
        """Say what to do about two words side by side, which may be one column's name."""
        words = self.tokens[max(self._index - 1, 0) : self._index + 1]
        if [word.kind for word in words] != ["name", "name"] or any(w.quoted for w in words):
            return ""
        name = " ".join(word.text for word in words)
        return f"; a name with spaces stands in backquotes: `{name}`"

    def _shown(self) -> str:
        return "the end" if self.token.kind == "end" else repr(self.token.text)
