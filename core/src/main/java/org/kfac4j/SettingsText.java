package org.kfac4j;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The file of defaults, comments and all, with other values filled in. Understands the way that
 * file is laid out, not HOCON.
 */
final class SettingsText {
  private static final Pattern BLOCK = Pattern.compile("\\s*([\\w-]+) \\{");
  private static final Pattern INLINE_BLOCK = Pattern.compile("(\\s*)([\\w-]+) \\{ (.*) \\}");
  private static final Pattern SETTING = Pattern.compile("(\\s*)([\\w-]+) = (.*)");
  private static final Pattern SAFE_WORD = Pattern.compile("[A-Za-z][\\w-]*");

  private final Config defaults;
  private final Config settings;

  private SettingsText(Config defaults, Config settings) {
    this.defaults = defaults;
    this.settings = settings;
  }

  static String render(String template, Config defaults, Config settings) {
    return new SettingsText(defaults, settings).fill(template);
  }

  private String fill(String template) {
    StringBuilder text = new StringBuilder();
    Deque<String> block = new ArrayDeque<>();
    for (String line : template.lines().toList()) {
      Matcher opening = BLOCK.matcher(line);
      if (opening.matches()) {
        block.addLast(opening.group(1));
      } else if (line.strip().equals("}")) {
        block.removeLast();
      }
      text.append(line(line, block.isEmpty() ? "" : String.join(".", block) + ".")).append('\n');
    }
    return text.toString();
  }

  private String line(String line, String prefix) {
    Matcher inline = INLINE_BLOCK.matcher(line);
    if (inline.matches()) {
      StringBuilder body = new StringBuilder();
      for (String part : inline.group(3).split(", ")) {
        body.append(body.isEmpty() ? "" : ", ").append(line(part, prefix + inline.group(2) + "."));
      }
      return inline.group(1) + inline.group(2) + " { " + body + " }";
    }
    Matcher setting = SETTING.matcher(line);
    return setting.matches() && !line.strip().startsWith("#")
        ? setting.group(1)
            + setting.group(2)
            + " = "
            + value(prefix + setting.group(2), setting.group(3))
        : line;
  }

  private String value(String path, String asWritten) {
    ConfigValue value = settings.getValue(path);
    return value.equals(defaults.getValue(path)) ? asWritten : literal(value);
  }

  /** A value as HOCON, in quotes only if it needs them. */
  private static String literal(ConfigValue value) {
    String text = SettingType.asText(value);
    boolean quoted =
        value.valueType() == ConfigValueType.STRING
            && (!SAFE_WORD.matcher(text).matches()
                || text.matches("true|false|null|yes|no|on|off|include"));
    return quoted ? value.render(ConfigRenderOptions.concise()) : text;
  }
}
