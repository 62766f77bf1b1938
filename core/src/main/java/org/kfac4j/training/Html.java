package org.kfac4j.training;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Pieces of a page; every text is escaped. */
public final class Html {
  private static final String STYLE = "report.css";

  private Html() {}

  /** Text of an element or a quoted attribute. */
  public static String escape(String text) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /**
   * A table with a header; columns whose header begins with {@code >} are aligned right, those with
   * {@code ~} broken into lines.
   */
  public static String table(List<String> header, List<List<String>> rows) {
    StringBuilder html = new StringBuilder("<div class=\"wide\"><table>\n<tr>");
    for (String name : header) {
      html.append("<th")
          .append(alignment(name))
          .append(escape(name.startsWith(">") || name.startsWith("~") ? name.substring(1) : name));
      html.append("</th>");
    }
    html.append("</tr>\n");
    for (List<String> row : rows) {
      html.append("<tr>");
      for (int column = 0; column < row.size(); column++) {
        html.append("<td")
            .append(alignment(header.get(column)))
            .append(escape(row.get(column)))
            .append("</td>");
      }
      html.append("</tr>\n");
    }
    return html.append("</table></div>\n").toString();
  }

  /** Names and values, sorted as the map is. */
  public static String table(Map<String, String> values) {
    StringBuilder html = new StringBuilder("<div class=\"wide\"><table>\n");
    values.forEach(
        (name, value) ->
            html.append("<tr><th>")
                .append(escape(name))
                .append("</th><td>")
                .append(escape(value))
                .append("</td></tr>\n"));
    return html.append("</table></div>\n").toString();
  }

  private static String alignment(String header) {
    return header.startsWith(">")
        ? " class=\"number\">"
        : header.startsWith("~") ? " class=\"lines\">" : ">";
  }

  /**
   * A page that needs nothing else.
   *
   * @param goesOn whether it is to load itself anew every 30 s
   */
  public static String page(String title, boolean goesOn, String body) {
    StringBuilder html =
        new StringBuilder(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<meta name=\"color-scheme\" content=\"light dark\">\n");
    if (goesOn) {
      html.append("<meta http-equiv=\"refresh\" content=\"30\">\n");
    }
    html.append("<title>").append(escape(title)).append("</title>\n<style>\n").append(style());
    html.append("</style>\n</head>\n<body>\n<h1>").append(escape(title)).append("</h1>\n");
    return html.append(body).append("</body>\n</html>\n").toString();
  }

  private static String style() {
    try (InputStream in = Html.class.getResourceAsStream(STYLE)) {
      if (in == null) {
        throw new IllegalStateException("not on the classpath: " + STYLE);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
