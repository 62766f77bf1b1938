package org.kfac4j;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Finds what somebody probably meant. Case, hyphens and underscores do not count: {@code batchSize}
 * is {@code batch-size}.
 */
final class Spelling {
  /** More suggestions than this help nobody. */
  private static final int MOST = 3;

  private Spelling() {}

  /** "; did you mean a or b?", or nothing if no name is close to {@code word}. */
  static String suggestion(String word, Collection<String> names) {
    int limit = limit(word);
    int best =
        names.stream().mapToInt(name -> distance(word, name)).min().orElse(Integer.MAX_VALUE);
    return best > limit
        ? ""
        : phrase(names.stream().filter(name -> distance(word, name) == best).toList());
  }

  /**
   * Like {@link #suggestion} for a dotted path, which is also compared with the last part of each
   * name: a key in the wrong block.
   */
  static String pathSuggestion(String path, Collection<String> names) {
    int limit = limit(last(path));
    int best =
        names.stream().mapToInt(name -> pathDistance(path, name)).min().orElse(Integer.MAX_VALUE);
    return best > limit
        ? ""
        : phrase(names.stream().filter(name -> pathDistance(path, name) == best).toList());
  }

  /**
   * Edits that turn one word into the other: insertions, deletions, substitutions and swaps of
   * neighbours.
   */
  static int distance(String first, String second) {
    String a = plain(first);
    String b = plain(second);
    int[] beforeLast = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    Arrays.setAll(last, j -> j);
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(substitution, Math.min(last[j], row[j - 1]) + 1);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
        }
      }
      beforeLast = last;
      last = row;
    }
    return last[b.length()];
  }

  private static int pathDistance(String path, String name) {
    return Math.min(distance(path, name), distance(last(path), last(name)) + 1);
  }

  private static int limit(String word) {
    return Math.max(1, plain(word).length() / 3);
  }

  private static String phrase(List<String> names) {
    return names.size() > MOST
        ? ""
        : names.stream().sorted().collect(Collectors.joining(" or ", "; did you mean ", "?"));
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static String plain(String word) {
    return word.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
  }
}
