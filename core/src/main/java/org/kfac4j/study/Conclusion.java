package org.kfac4j.study;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.kfac4j.training.Figures;

/**
 * What a study says about one target under one budget, in plain words.
 *
 * @param furthest the optimizer that scales further than every other one; empty if that is not
 *     supported
 * @param doubts why it is not, one for each reason; empty if it is supported
 * @param text the paragraph
 */
public record Conclusion(
    Target target, Budget budget, Optional<String> furthest, List<String> doubts, String text) {
  public Conclusion {
    doubts = List.copyOf(doubts);
  }

  /**
   * The optimizer with the largest critical batch size against each of the others. That it scales
   * further is supported only if both reach the target with the smallest batch, both have an
   * interval over seeds and these do not overlap, the other's critical batch size is no lower
   * bound, efficiency falls monotonically, every grid that enters is complete, and no winner that
   * enters is on its grid's edge.
   */
  public static Conclusion of(StudyResults study, Target target, Budget budget) {
    List<StudyCurve> curves = study.curves(budget, target);
    List<StudyCurve> defined =
        curves.stream()
            .filter(StudyCurve::isDefined)
            .sorted(Comparator.comparingDouble(curve -> -interpolated(curve)))
            .toList();
    List<String> sentences = new ArrayList<>();
    List<String> doubts = new ArrayList<>();
    // what is a doubt is not said twice
    curves.stream()
        .filter(curve -> curve.isDefined() || curves.size() == 1)
        .forEach(curve -> sentences.add(Doubts.scale(curve)));
    boolean all = defined.size() == curves.size();
    if (curves.size() == 1) {
      doubts.add("there is only one optimizer, and nothing to compare it with");
    } else if (all) {
      StudyCurve first = defined.get(0);
      defined
          .subList(1, defined.size())
          .forEach(other -> doubts.addAll(Doubts.between(first, other)));
    } else {
      curves.stream()
          .filter(curve -> !curve.isDefined())
          .forEach(curve -> doubts.add(Doubts.undefined(curve)));
    }
    List<String> reasons = doubts.stream().distinct().toList();
    Optional<String> furthest =
        reasons.isEmpty() ? Optional.of(defined.get(0).optimizer()) : Optional.empty();
    sentences.add(0, verdict(curves, defined, reasons));
    sentences.add(cheapest(curves));
    String text =
        "%s: %s"
            .formatted(
                StudyPage.heading(target, budget),
                sentences.stream().filter(s -> !s.isEmpty()).collect(Collectors.joining(" ")));
    return new Conclusion(target, budget, furthest, reasons, text);
  }

  private static double interpolated(StudyCurve curve) {
    return curve.critical().map(CriticalBatch::interpolated).orElse(0.0);
  }

  private static String verdict(
      List<StudyCurve> curves, List<StudyCurve> defined, List<String> reasons) {
    if (curves.size() == 1) {
      return "which optimizer scales further is not a question here: " + reasons.get(0) + ".";
    }
    String names = curves.stream().map(StudyCurve::optimizer).collect(Collectors.joining(", "));
    if (!reasons.isEmpty()) {
      return "which of %s scales further is not supported either way, because %s."
          .formatted(names, String.join("; ", reasons));
    }
    StudyCurve first = defined.get(0);
    CriticalBatch critical = first.critical().orElseThrow();
    String others =
        defined.subList(1, defined.size()).stream()
            .map(StudyCurve::optimizer)
            .collect(Collectors.joining(", "));
    return "%s scales further than %s, up to %sbatch %s."
        .formatted(
            first.optimizer(),
            others,
            critical.isLowerBound() ? "at least " : "",
            Figures.count(critical.batch()));
  }

  /** Scaling further is not being faster: the least time of each optimizer over all batch sizes. */
  private static String cheapest(List<StudyCurve> curves) {
    record Best(String optimizer, int batch, double seconds) {}
    List<Best> best =
        curves.stream()
            .flatMap(
                curve ->
                    curve.cells().stream()
                        .filter(cell -> cell.fewestSeconds().isPresent())
                        .map(
                            cell ->
                                new Best(
                                    curve.optimizer(),
                                    cell.batch(),
                                    cell.fewestSeconds().getAsDouble()))
                        .min(Comparator.comparingDouble(Best::seconds))
                        .stream())
            .sorted(Comparator.comparingDouble(Best::seconds))
            .toList();
    return best.isEmpty()
        ? ""
        : best.stream()
            .map(
                b ->
                    String.format(
                        Locale.ROOT,
                        "%s in %s with batch %s",
                        b.optimizer,
                        Figures.duration(b.seconds),
                        Figures.count(b.batch)))
            .collect(Collectors.joining(", ", "Least training time measured: ", "."));
  }
}
