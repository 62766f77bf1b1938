package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;

/** Cells in columns: the first to the left, the others, which hold numbers, to the right. */
final class TextTable {
  private static final String GAP = "   ";

  private TextTable() {}

  /**
   * @param rows all of one length, the headings first
   */
  static List<String> lines(List<List<String>> rows) {
    int[] widths = new int[rows.get(0).size()];
    for (List<String> row : rows) {
      for (int column = 0; column < widths.length; column++) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < widths.length; column++) {
        String cell = row.get(column);
        String space = " ".repeat(widths[column] - cell.length());
        line.append(column == 0 ? cell + space : GAP + space + cell);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }
}
