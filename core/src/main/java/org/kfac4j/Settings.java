package org.kfac4j;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * The settings of a job: what the command line says, else the conf file, else {@code
 * kfac4j-defaults.conf}. Keys are dotted paths, for example {@code training.batch-size}. Every
 * getter throws an {@link InvalidInputException} that names key, rule and value if the value breaks
 * the getter's rule, and an {@link IllegalArgumentException} if there is no such setting.
 */
public final class Settings {
  private static final String DEFAULTS = "/kfac4j-defaults.conf";

  private final Config defaults;
  private final Config settings;
  private final SettingsSchema schema;

  private Settings(Config defaults, Config settings, SettingsSchema schema) {
    this.defaults = defaults;
    this.settings = settings;
    this.schema = schema;
  }

  /**
   * Reads and checks a conf file.
   *
   * @param name of the file, for messages
   * @param hocon its text; may be empty
   * @param overrides from the command line, each {@code key=value}; later ones win
   * @throws InvalidInputException for bad syntax (with the line), an unknown key (with the nearest
   *     known one) or a value whose type is not that of the default
   */
  public static Settings load(String name, String hocon, List<String> overrides) {
    Config written = SettingsParser.parse(DEFAULTS, template());
    SettingsSchema schema = new SettingsSchema(written);
    Config user = SettingsParser.parse(name, hocon);
    schema.resolve(name, user);
    for (String override : overrides) {
      user = schema.override(override).withFallback(user);
    }
    Config defaults = schema.resolve(DEFAULTS, SettingsParser.parse(DEFAULTS, ""));
    return new Settings(defaults, schema.resolve(name, user), schema);
  }

  /**
   * These settings with some of them overridden.
   *
   * @param overrides each {@code key=value}; later ones win
   * @throws InvalidInputException as {@link #load} does
   */
  public Settings with(List<String> overrides) {
    Config user = settings;
    for (String override : overrides) {
      user = schema.override(override).withFallback(user);
    }
    return new Settings(defaults, schema.resolve("settings", user), schema);
  }

  /** A list of blocks, which are whatever the user wrote. */
  public List<? extends Config> blocks(String key) {
    typed(key, SettingType.LIST);
    boolean objects =
        settings.getList(key).stream().allMatch(each -> each.valueType() == ConfigValueType.OBJECT);
    require(objects, key, "a list of blocks { … }");
    return settings.getConfigList(key);
  }

  /** All settings of a block, for example {@code optimizer}, with the types of the defaults. */
  public Config config(String block) {
    return settings.getConfig(block);
  }

  /** The defaults' file, with its comments and these values; a conf file that says the same. */
  public String render() {
    return SettingsText.render(template(), defaults, settings);
  }

  /** Every setting by dotted path, sorted; text without quotes, lists as JSON. */
  public Map<String, String> flat() {
    Map<String, String> flat = new TreeMap<>();
    settings
        .entrySet()
        .forEach(entry -> flat.put(entry.getKey(), SettingType.asText(entry.getValue())));
    return flat;
  }

  public int positiveInt(String key) {
    return integer(key, 1);
  }

  public int nonNegativeInt(String key) {
    return integer(key, 0);
  }

  private int integer(String key, int minimum) {
    long value = longValue(key);
    require(value >= minimum, key, "at least " + minimum);
    require(value <= Integer.MAX_VALUE, key, "at most " + Integer.MAX_VALUE);
    return (int) value;
  }

  public long longValue(String key) {
    typed(key, SettingType.INTEGER);
    return settings.getLong(key);
  }

  public double positive(String key) {
    double value = doubleValue(key);
    require(value > 0, key, "positive");
    return value;
  }

  public double nonNegative(String key) {
    double value = doubleValue(key);
    require(value >= 0, key, "at least 0");
    return value;
  }

  /**
   * A number from {@code low} to {@code high}; each end belongs to the range or not, as its flag
   * says.
   */
  public double between(
      String key, double low, double high, boolean lowIncluded, boolean highIncluded) {
    double value = doubleValue(key);
    boolean above = lowIncluded ? value >= low : value > low;
    boolean below = highIncluded ? value <= high : value < high;
    require(
        above && below,
        key,
        "in %s%s, %s%s"
            .formatted(lowIncluded ? "[" : "(", plain(low), plain(high), highIncluded ? "]" : ")"));
    return value;
  }

  /** A finite number; also of settings whose default is an integer. */
  public double doubleValue(String key) {
    SettingType type = schema.type(key);
    Check.that(
        type == SettingType.NUMBER || type == SettingType.INTEGER,
        "%s is %s, not a number",
        key,
        type.description);
    return settings.getDouble(key);
  }

  public boolean flag(String key) {
    typed(key, SettingType.BOOLEAN);
    return settings.getBoolean(key);
  }

  /** Text, which may be empty. */
  public String text(String key) {
    typed(key, SettingType.TEXT);
    return settings.getString(key);
  }

  /** Text, absent if it is empty or blank. */
  public Optional<String> optionalText(String key) {
    return Optional.of(text(key)).filter(text -> !text.isBlank());
  }

  /**
   * A finite number, absent if the text is empty or blank; of settings whose default is empty text.
   */
  public OptionalDouble optionalNumber(String key) {
    Optional<String> text = optionalText(key);
    if (text.isEmpty()) {
      return OptionalDouble.empty();
    }
    ConfigValue number = SettingType.NUMBER.convert(settings.getValue(key)).orElse(null);
    require(number != null, key, "a finite number or empty");
    return OptionalDouble.of(number == null ? Double.NaN : number.atKey("v").getDouble("v"));
  }

  /**
   * A positive number, {@code otherwise} if the text is empty or blank; of settings whose default
   * is empty text.
   */
  public double positiveOr(String key, double otherwise) {
    OptionalDouble number = optionalNumber(key);
    double value = number.orElse(otherwise);
    require(value > 0, key, "positive");
    return value;
  }

  /**
   * A constant by its name in kebab case: {@code LEVENBERG_MARQUARDT} is {@code
   * levenberg-marquardt}.
   */
  public <E extends Enum<E>> E choice(String key, Class<E> type) {
    E[] constants = type.getEnumConstants();
    List<String> names = Arrays.stream(constants).map(constant -> kebab(constant.name())).toList();
    return constants[names.indexOf(choice(key, names))];
  }

  /** One of several names, for example of a table of optimizers. */
  public String choice(String key, Collection<String> names) {
    String value = text(key);
    if (!names.contains(value)) {
      throw new InvalidInputException(
          "%s must be one of %s, got %s%s"
              .formatted(
                  key,
                  String.join(", ", names),
                  inMessage(key),
                  Spelling.suggestion(value, names)));
    }
    return value;
  }

  /** A list of texts, possibly empty. */
  public List<String> texts(String key) {
    typed(key, SettingType.LIST);
    List<String> values = new ArrayList<>();
    for (ConfigValue element : settings.getList(key)) {
      Optional<ConfigValue> text = SettingType.TEXT.convert(element);
      require(text.isPresent(), key, "a list of strings");
      text.ifPresent(value -> values.add(value.atKey("v").getString("v")));
    }
    return values;
  }

  /** A list of different constants by their names in kebab case, possibly empty. */
  public <E extends Enum<E>> List<E> choices(String key, Class<E> type) {
    E[] constants = type.getEnumConstants();
    List<String> names = Arrays.stream(constants).map(constant -> kebab(constant.name())).toList();
    List<String> chosen = texts(key);
    require(
        names.containsAll(chosen) && chosen.stream().distinct().count() == chosen.size(),
        key,
        "a list of different ones of " + String.join(", ", names));
    return chosen.stream().map(name -> constants[names.indexOf(name)]).toList();
  }

  /** A list of integers of at least 1, possibly empty. */
  public List<Integer> positiveInts(String key) {
    typed(key, SettingType.LIST);
    List<Integer> values = new ArrayList<>();
    for (ConfigValue element : settings.getList(key)) {
      Optional<ConfigValue> integer = SettingType.INTEGER.convert(element);
      long value = integer.isEmpty() ? 0 : integer.get().atKey("v").getLong("v");
      require(value >= 1 && value <= Integer.MAX_VALUE, key, "a list of integers of at least 1");
      values.add((int) value);
    }
    return values;
  }

  /** A list of finite numbers, possibly empty. */
  public List<Double> numbers(String key) {
    typed(key, SettingType.LIST);
    List<Double> values = new ArrayList<>();
    for (ConfigValue element : settings.getList(key)) {
      Optional<ConfigValue> number = SettingType.NUMBER.convert(element);
      require(number.isPresent(), key, "a list of finite numbers");
      number.ifPresent(value -> values.add(value.atKey("v").getDouble("v")));
    }
    return values;
  }

  private void typed(String key, SettingType type) {
    Check.that(
        schema.type(key) == type,
        "%s is %s, not %s",
        key,
        schema.type(key).description,
        type.description);
  }

  private void require(boolean condition, String key, String rule) {
    if (!condition) {
      throw new InvalidInputException("%s must be %s, got %s".formatted(key, rule, inMessage(key)));
    }
  }

  private String inMessage(String key) {
    return SettingType.inMessage(settings.getValue(key));
  }

  private static String kebab(String constant) {
    return constant.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) && Math.abs(bound) < 1e9
        ? String.valueOf((long) bound)
        : String.valueOf(bound);
  }

  private static String template() {
    try (InputStream in = Settings.class.getResourceAsStream(DEFAULTS)) {
      if (in == null) {
        throw new IllegalStateException("not on the classpath: " + DEFAULTS);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
