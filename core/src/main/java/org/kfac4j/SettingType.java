package org.kfac4j;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What kind of value a setting takes; follows from its default. Text that reads as such a value
 * will do, as environment variables are text.
 */
enum SettingType {
  INTEGER("an integer"),
  NUMBER("a finite number"),
  BOOLEAN("true or false"),
  TEXT("a string"),
  LIST("a list");

  private static final Pattern NUMERIC =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,6})?");
  private static final Pattern WHOLE = Pattern.compile("-?\\d+");

  /** For messages: "must be …". */
  final String description;

  SettingType(String description) {
    this.description = description;
  }

  static SettingType of(ConfigValue defaultValue) {
    return switch (defaultValue.valueType()) {
      case NUMBER -> WHOLE.matcher(asText(defaultValue)).matches() ? INTEGER : NUMBER;
      case BOOLEAN -> BOOLEAN;
      case LIST -> LIST;
      case STRING -> TEXT;
      case OBJECT, NULL -> throw new IllegalArgumentException("not a setting: " + defaultValue);
    };
  }

  /** The value as one of this type, or nothing if it does not fit. */
  Optional<ConfigValue> convert(ConfigValue value) {
    if (this == LIST) {
      return Optional.of(value).filter(v -> v.valueType() == ConfigValueType.LIST);
    }
    boolean scalar =
        switch (value.valueType()) {
          case NUMBER, BOOLEAN, STRING -> true;
          case OBJECT, LIST, NULL -> false;
        };
    if (!scalar) {
      return Optional.empty();
    }
    String text = asText(value);
    return switch (this) {
      case TEXT -> Optional.of(ConfigValueFactory.fromAnyRef(text));
      case BOOLEAN -> truth(text).map(ConfigValueFactory::fromAnyRef);
      case INTEGER, NUMBER ->
          NUMERIC.matcher(text.strip()).matches() ? number(text.strip()) : Optional.empty();
      case LIST -> throw new AssertionError();
    };
  }

  private Optional<ConfigValue> number(String text) {
    if (this == INTEGER) {
      BigDecimal exact = new BigDecimal(text).stripTrailingZeros();
      boolean fits = exact.scale() <= 0 && exact.precision() - exact.scale() <= 18;
      return fits
          ? Optional.of(ConfigValueFactory.fromAnyRef(exact.longValueExact()))
          : Optional.empty();
    }
    double number = Double.parseDouble(text);
    if (!Double.isFinite(number)) {
      return Optional.empty();
    }
    ConfigValue asWritten = ConfigFactory.parseString("v = " + text).getValue("v");
    boolean read = asWritten.valueType() == ConfigValueType.NUMBER;
    return Optional.of(read ? asWritten : ConfigValueFactory.fromAnyRef(number));
  }

  private static Optional<Boolean> truth(String text) {
    return switch (text.strip()) {
      case "true", "yes", "on" -> Optional.of(true);
      case "false", "no", "off" -> Optional.of(false);
      default -> Optional.empty();
    };
  }

  /** A scalar as it was written, without quotes; a list as JSON. */
  static String asText(ConfigValue value) {
    return value.valueType() == ConfigValueType.LIST
        ? value.render(ConfigRenderOptions.concise())
        : value.atKey("v").getString("v");
  }

  /** A value in a message: strings in quotes, at most 60 characters. */
  static String inMessage(ConfigValue value) {
    String text =
        switch (value.valueType()) {
          case OBJECT -> "a block";
          case NUMBER -> asText(value);
          case LIST, BOOLEAN, STRING, NULL -> value.render(ConfigRenderOptions.concise());
        };
    return text.length() > 60 ? text.substring(0, 57) + "…" : text;
  }
}
