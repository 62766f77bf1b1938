package org.kfac4j;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import java.io.File;
import java.net.URL;
import java.util.regex.Pattern;

/** HOCON text to {@link Config}; what is wrong with the text in one line. */
final class SettingsParser {
  /**
   * The library begins its messages with the origin and the line, which are said in another way
   * here.
   */
  private static final Pattern ORIGIN = Pattern.compile("^.*?: \\d+: ", Pattern.DOTALL);

  private static final Pattern HINT = Pattern.compile(" ?\\((if you|JSON does).*$", Pattern.DOTALL);

  private SettingsParser() {}

  /**
   * @throws InvalidInputException naming {@code source} and the line
   */
  static Config parse(String source, String hocon) {
    ConfigParseOptions options =
        ConfigParseOptions.defaults()
            .setOriginDescription("conf")
            .setIncluder(new NoIncludes(source));
    try {
      return ConfigFactory.parseString(hocon, options);
    } catch (ConfigException e) {
      throw invalid(source, e);
    }
  }

  static InvalidInputException invalid(String source, ConfigException e) {
    String message = String.valueOf(e.getMessage());
    boolean hinted = HINT.matcher(message).find() && !message.contains("end of file");
    message =
        HINT.matcher(ORIGIN.matcher(message).replaceFirst(""))
            .replaceFirst("")
            .replaceAll("\\s+", " ")
            .strip();
    String where =
        e.origin() == null || e.origin().lineNumber() < 1
            ? ""
            : "line " + e.origin().lineNumber() + ": ";
    String advice = hinted ? "; text with special characters needs double quotes" : "";
    return new InvalidInputException(source + ": " + where + message + advice, e);
  }

  /**
   * HOCON passes over a file that is not there without a word, and would look for it beside the
   * process, not beside the conf file.
   */
  private record NoIncludes(String source)
      implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
    @Override
    public ConfigIncluder withFallback(ConfigIncluder fallback) {
      return this;
    }

    @Override
    public ConfigObject include(ConfigIncludeContext context, String what) {
      throw new InvalidInputException(
          source + ": a conf file stands alone, got include \"" + what + "\"");
    }

    @Override
    public ConfigObject includeFile(ConfigIncludeContext context, File what) {
      return include(context, what.getPath());
    }

    @Override
    public ConfigObject includeURL(ConfigIncludeContext context, URL what) {
      return include(context, what.toString());
    }

    @Override
    public ConfigObject includeResources(ConfigIncludeContext context, String what) {
      return include(context, what);
    }
  }
}
