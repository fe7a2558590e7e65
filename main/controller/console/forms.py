"""The console's forms; each carries the token of :mod:`main.controller.csrf`, the only one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField, SubmitField, ValidationError
from wtforms.csrf.core import CSRF
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from main.controller.csrf import FIELD
from main.controller.guards import caller, gate
from main.service.model import BreakerMode, GuardChange

if TYPE_CHECKING:
    from main.service.model import Caller

_OLD = "This form was open for too long, or comes from elsewhere; please send it again."
_BY_SETTINGS = "settings"
TYPED = "typed"  # in flask's g: what is to be shown in a page's forms, although it was not sent to that page


class SignedToken(CSRF):  # type: ignore[misc]
    """Puts our own token into forms: signed over the login, so that nothing has to be kept for it on either side."""

    def setup_form(self, form: Any) -> list[tuple[str, Any]]:
        """Give the field; ``csrf_context`` is whom the token is made for, where that is not whoever asks."""
        self._subject: Caller = form.meta.csrf_context or caller()
        return list(super().setup_form(form))

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002
        """Give a token."""
        return gate().csrf.make(self._subject)

    def validate_csrf_token(self, form: Any, field: Any) -> None:  # noqa: ARG002
        """Return when the token that was sent is one of the same login."""
        if not gate().csrf.holds(field.data or "", self._subject):
            raise ValidationError(_OLD)


class Form(FlaskForm):  # type: ignore[misc]
    """A form; what was typed is kept, and errors stand at their field."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """The token is signed over the login instead of being kept in a session."""

        csrf = True
        csrf_class = SignedToken
        csrf_field_name = FIELD
        csrf_context = None

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Give what the form is filled with: what was typed before, where that is to be shown again and its button was pressed."""
            typed = g.get(TYPED)
            if typed is None or formdata is None:
                return super().wrap_formdata(form, formdata)
            pressed = any(isinstance(box, SubmitField) and box.name in typed for box in form)
            return typed if pressed else None


def length(most: int) -> list[Any]:
    """Ask for a text of at most so many characters."""
    return [InputRequired("Please fill this in."), Length(max=most, message=f"At most {most} characters.")]


class LoginForm(Form):
    """Who logs in, and where they wanted to go; bounds as in the body of ``POST /auth``."""

    username = StringField(
        "Name", length(200), render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    )
    password = PasswordField("Password", length(1000), render_kw={"autocomplete": "current-password"})
    next = HiddenField()
    enter = SubmitField("Log in")


class LogoutForm(Form):
    """The end of a login."""

    leave = SubmitField("Log out")


class SyncForm(Form):
    """A sync that is wanted now."""

    force = BooleanField("Accept it even if more than half of the products are gone")
    sync = SubmitField("Sync now")


class BreakerForm(Form):
    """Who decides whether calls to a shop go through."""

    breaker = SelectField(
        "Breaker",
        choices=[
            SelectChoice(BreakerMode.AUTO.value, "automatic: by how calls go"),
            SelectChoice(BreakerMode.FORCED_OPEN.value, "forced open: no call goes through"),
            SelectChoice(BreakerMode.CLOSED.value, "closed: every call goes through"),
        ],
    )
    set_breaker = SubmitField("Set breaker")

    @property
    def change(self) -> GuardChange:
        """What is wanted."""
        return GuardChange(mode=BreakerMode(self.breaker.data))


class SwitchForm(Form):
    """Whether a source takes part."""

    enabled = SelectField(
        "Source",
        choices=[
            SelectChoice(_BY_SETTINGS, "as the settings say"),
            SelectChoice("on", "switched on"),
            SelectChoice("off", "switched off"),
        ],
    )
    set_switch = SubmitField("Set switch")

    @property
    def change(self) -> GuardChange:
        """What is wanted."""
        return GuardChange(sets_enabled=True, enabled={"on": True, "off": False}.get(self.enabled.data))


def switch_word(enabled: bool | None) -> str:  # noqa: FBT001 - the switch itself
    """Give the choice of :class:`SwitchForm` that stands for a switch."""
    return _BY_SETTINGS if enabled is None else "on" if enabled else "off"
