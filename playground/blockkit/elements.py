"""Block elements: everything a person can press, pick or type into, and images.

Owns their fields and limits and which block may hold which; refuses to know what pressing does.
Source: Slack's Block Kit reference, "Block elements".
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from playground.blockkit.objects import (
    Confirm,
    ConversationFilter,
    DispatchActionConfig,
    Identifier,
    Option,
    OptionGroup,
    OverflowOption,
    Plain75,
    Plain150,
    RichOption,
    Strict,
    Url,
    WebUrl,
)

INPUT_TEXT_LIMIT = 3000
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])$")]
Time = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Decimal = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?$")]
Options = Annotated[list[Option], Field(min_length=1, max_length=100)]
Groups = Annotated[list[OptionGroup], Field(min_length=1, max_length=100)]
RichOptions = Annotated[list[RichOption], Field(min_length=1, max_length=10)]
Picks = Annotated[int, Field(ge=1)]


class Interactive(Strict):
    """Shared by all that sends an action."""

    action_id: Identifier | None = None
    confirm: Confirm | None = None


class Focusable(Interactive):
    """Shared by all that can take the focus of a form."""

    focus_on_load: bool | None = None


class Menu(Focusable):
    """Shared by all with a placeholder."""

    placeholder: Plain150 | None = None


class Button(Interactive):
    """A button."""

    type: Literal["button"]
    text: Plain75
    url: Url | None = None
    value: Annotated[str, StringConstraints(max_length=2000)] | None = None
    style: Literal["primary", "danger"] | None = None
    accessibility_label: Annotated[str, StringConstraints(max_length=75)] | None = None


class Image(Strict):
    """A small image beside text."""

    type: Literal["image"]
    image_url: WebUrl
    alt_text: Annotated[str, StringConstraints(max_length=2000)]


class Checkboxes(Focusable):
    """Up to ten boxes."""

    type: Literal["checkboxes"]
    options: RichOptions
    initial_options: RichOptions | None = None

    @model_validator(mode="after")
    def check_initial(self) -> Self:
        """Initial options must be options."""
        refuse_foreign(self.initial_options or [], self.options)
        return self


class RadioButtons(Focusable):
    """Up to ten radio buttons."""

    type: Literal["radio_buttons"]
    options: RichOptions
    initial_option: RichOption | None = None

    @model_validator(mode="after")
    def check_initial(self) -> Self:
        """The initial option must be an option."""
        refuse_foreign([self.initial_option] if self.initial_option else [], self.options)
        return self


class Overflow(Interactive):
    """One to five options behind three dots."""

    type: Literal["overflow"]
    options: Annotated[list[OverflowOption], Field(min_length=1, max_length=5)]


class DatePicker(Menu):
    """A date, `YYYY-MM-DD`."""

    type: Literal["datepicker"]
    initial_date: Date | None = None


class TimePicker(Menu):
    """A time of day, `HH:mm`."""

    type: Literal["timepicker"]
    initial_time: Time | None = None
    timezone: str | None = None


class DateTimePicker(Focusable):
    """A moment, in seconds since the epoch (ten digits)."""

    type: Literal["datetimepicker"]
    initial_date_time: Annotated[int, Field(ge=10**9, lt=10**10)] | None = None


class StaticOptions(Menu):
    """Either options or groups of options."""

    options: Options | None = None
    option_groups: Groups | None = None

    def offered(self) -> list[Option]:
        """All options, grouped or not."""
        return [*(self.options or []), *(option for group in self.option_groups or [] for option in group.options)]

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Exactly one of the two sources."""
        if (self.options is None) == (self.option_groups is None):
            raise PydanticCustomError("options", "exactly one of options and option_groups is required")
        return self


class StaticSelect(StaticOptions):
    """A menu of given options."""

    type: Literal["static_select"]
    initial_option: Option | None = None

    @model_validator(mode="after")
    def check_initial(self) -> Self:
        """The initial option must be an option."""
        refuse_foreign([self.initial_option] if self.initial_option else [], self.offered())
        return self


class MultiStaticSelect(StaticOptions):
    """A menu of given options, several of which may be chosen."""

    type: Literal["multi_static_select"]
    initial_options: Options | None = None
    max_selected_items: Picks | None = None

    @model_validator(mode="after")
    def check_initial(self) -> Self:
        """Initial options must be options."""
        refuse_foreign(self.initial_options or [], self.offered())
        return self


class ExternalSelect(Menu):
    """A menu whose options the app answers as the person types."""

    type: Literal["external_select"]
    initial_option: Option | None = None
    min_query_length: Annotated[int, Field(ge=0)] | None = None


class MultiExternalSelect(Menu):
    """Several of the options the app answers."""

    type: Literal["multi_external_select"]
    initial_options: Options | None = None
    min_query_length: Annotated[int, Field(ge=0)] | None = None
    max_selected_items: Picks | None = None


class UsersSelect(Menu):
    """A person."""

    type: Literal["users_select"]
    initial_user: str | None = None


class MultiUsersSelect(Menu):
    """Several people."""

    type: Literal["multi_users_select"]
    initial_users: list[str] | None = None
    max_selected_items: Picks | None = None


class ConversationsSelect(Menu):
    """A conversation of any kind."""

    type: Literal["conversations_select"]
    initial_conversation: str | None = None
    default_to_current_conversation: bool | None = None
    response_url_enabled: bool | None = None
    filter: ConversationFilter | None = None


class MultiConversationsSelect(Menu):
    """Several conversations."""

    type: Literal["multi_conversations_select"]
    initial_conversations: list[str] | None = None
    default_to_current_conversation: bool | None = None
    max_selected_items: Picks | None = None
    filter: ConversationFilter | None = None


class ChannelsSelect(Menu):
    """A public channel."""

    type: Literal["channels_select"]
    initial_channel: str | None = None
    response_url_enabled: bool | None = None


class MultiChannelsSelect(Menu):
    """Several public channels."""

    type: Literal["multi_channels_select"]
    initial_channels: list[str] | None = None
    max_selected_items: Picks | None = None


class TypedInput(Menu):
    """Shared by all that is typed into; inputs have no confirmation dialog."""

    confirm: None = None
    dispatch_action_config: DispatchActionConfig | None = None


class PlainTextInput(TypedInput):
    """Free text."""

    type: Literal["plain_text_input"]
    initial_value: Annotated[str, StringConstraints(max_length=INPUT_TEXT_LIMIT)] | None = None
    multiline: bool | None = None
    min_length: Annotated[int, Field(ge=0, le=INPUT_TEXT_LIMIT)] | None = None
    max_length: Annotated[int, Field(ge=1, le=INPUT_TEXT_LIMIT)] | None = None


class NumberInput(TypedInput):
    """A number, kept as text."""

    type: Literal["number_input"]
    is_decimal_allowed: bool
    initial_value: Decimal | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None


class EmailInput(TypedInput):
    """An e-mail address."""

    type: Literal["email_text_input"]
    initial_value: str | None = None


class UrlInput(TypedInput):
    """A web address."""

    type: Literal["url_text_input"]
    initial_value: str | None = None


def refuse_foreign(initial: list[Option] | list[RichOption], offered: list[Option] | list[RichOption]) -> None:
    """Slack refuses an initial option that is not literally among the options."""
    if any(option not in offered for option in initial):
        raise PydanticCustomError("initial_option", "initial option must match one of the options")


Select = StaticSelect | ExternalSelect | UsersSelect | ConversationsSelect | ChannelsSelect
MultiSelect = (
    MultiStaticSelect | MultiExternalSelect | MultiUsersSelect | MultiConversationsSelect | MultiChannelsSelect
)
ActionsElement = Annotated[
    Button | Checkboxes | DatePicker | DateTimePicker | TimePicker | Overflow | RadioButtons | Select,
    Field(discriminator="type"),
]
AccessoryElement = Annotated[
    Button | Checkboxes | DatePicker | TimePicker | Overflow | RadioButtons | Image | Select | MultiSelect,
    Field(discriminator="type"),
]
InputElement = Annotated[
    Checkboxes
    | DatePicker
    | DateTimePicker
    | TimePicker
    | RadioButtons
    | PlainTextInput
    | NumberInput
    | EmailInput
    | UrlInput
    | Select
    | MultiSelect,
    Field(discriminator="type"),
]
