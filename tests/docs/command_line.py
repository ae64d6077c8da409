"""Judge a `routecast` command line by the click tree, without running anything."""

from collections.abc import Iterator

import click

from cli.main import main


def fault(words: list[str]) -> str | None:
    """Return what is wrong with the words behind `routecast`, None when nothing is.

    Words in capitals, as NODE, and those with an ellipsis stand for values: only their place is judged.
    """
    try:
        _judge(main, click.Context(main, info_name="routecast", **main.context_settings), iter(words))
    except click.UsageError as e:
        return e.format_message()
    return None


def _judge(command: click.Command, ctx: click.Context, words: Iterator[str]) -> None:
    arguments: list[str] = []
    for word in words:
        if word.startswith("-") and word != "-":
            _judge_option(command, ctx, word, words)
        elif isinstance(command, click.Group):
            inner = command.get_command(ctx, word)
            if inner is None:
                raise click.UsageError(f"no command {word!r} in {ctx.command_path!r}")
            _judge(inner, click.Context(inner, parent=ctx, info_name=word), words)
            return
        else:
            arguments.append(word)
    _judge_arguments(command, ctx, arguments)


def _judge_option(command: click.Command, ctx: click.Context, word: str, words: Iterator[str]) -> None:
    name, equals, value = word.partition("=")
    option = next((each for each in command.get_params(ctx) if name in {*each.opts, *each.secondary_opts}), None)
    if option is None:
        raise click.UsageError(f"no option {name} of {ctx.command_path!r}")
    if isinstance(option, click.Option) and (option.is_flag or option.count):
        return
    value = value if equals else next(words, "")
    if not value:
        raise click.UsageError(f"{name} of {ctx.command_path!r} needs a value")
    _judge_value(option, ctx, value)


def _judge_arguments(command: click.Command, ctx: click.Context, values: list[str]) -> None:
    wanted = [each for each in command.get_params(ctx) if isinstance(each, click.Argument)]
    if wanted and wanted[-1].nargs == -1:  # takes all the rest
        wanted += wanted[-1:] * (len(values) - len(wanted))
    if len(values) > len(wanted):
        raise click.UsageError(f"too many words for {ctx.command_path!r}: {' '.join(values)}")
    for argument, value in zip(wanted, values, strict=False):
        _judge_value(argument, ctx, value)


def _judge_value(param: click.Parameter, ctx: click.Context, value: str) -> None:
    if isinstance(param.type, click.Path) or value.isupper() or "…" in value:
        return
    param.type.convert(value, param, ctx)
