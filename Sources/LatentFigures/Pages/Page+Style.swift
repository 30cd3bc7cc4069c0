// How pages look: one column with room around it, one accent, figures that stand under each other.

extension Page {
  /// The style sheet, over the colours of ``Palette``.
  static let css = """
    *{box-sizing:border-box}
    dl,dt,dd,figure,pre,h1{margin:0}
    html{scroll-behavior:smooth;-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--paper);color:var(--ink);overflow-wrap:break-word;
      font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
    h1,h2,.highlights dd{font-weight:500;text-wrap:balance;
      font-family:"Iowan Old Style","Palatino Linotype",Palatino,P052,Charter,Georgia,"Noto Serif",serif}
    h1{font-size:clamp(1.9rem,1.3rem + 2.4vw,3rem);line-height:1.15;letter-spacing:-.015em;margin:0}
    h1::before{content:"";display:block;width:3.5rem;height:4px;background:var(--c1);margin-bottom:1.6rem}
    h2{font-size:1.7rem;line-height:1.25;letter-spacing:-.01em;margin:0 0 1.2rem}
    h3{font-size:1rem;margin:0 0 .4rem}
    p{margin:0 0 1rem;max-width:42rem}
    .subtitle{font-size:1.15rem;color:var(--muted);margin:.8rem 0 0}
    a{color:var(--c1);text-decoration-thickness:1px;text-underline-offset:.22em}
    :focus-visible{outline:3px solid var(--c1);outline-offset:3px;border-radius:2px}
    main:focus{outline:none}
    .skip{position:absolute;left:-100vw;top:1rem;z-index:1;background:var(--paper);padding:.5rem 1rem}
    .skip:focus{left:1rem}
    .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    .page{display:grid;grid-template-columns:minmax(0,1fr);gap:2.5rem 3.5rem;max-width:82rem;margin:0 auto;
      padding:clamp(2rem,6vw,5rem) clamp(1.1rem,4vw,3.5rem) 6rem}
    nav ol{list-style:none;margin:0;padding:0;font-size:.92rem;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}
    nav a{display:inline-block;padding:.2rem 0;color:var(--muted);text-decoration:none}
    nav a:hover,nav a:focus-visible{color:var(--c1);text-decoration:underline}
    section{margin:0 0 4.5rem;scroll-margin-top:2rem}
    section:last-child{margin-bottom:0}
    section>*+*{margin-top:1.8rem}
    h2+*{margin-top:0}
    .note{border-left:3px solid var(--c1);background:var(--wash);padding:.7rem 1.1rem}
    .highlights{display:flex;flex-wrap:wrap;gap:1.6rem 3.2rem}
    .highlights div{display:flex;flex-direction:column-reverse}
    .highlights dd{font-size:2.3rem;line-height:1.2;font-variant-numeric:lining-nums tabular-nums}
    .highlights dt{color:var(--muted);font-size:.9rem}
    .facts{font-size:.94rem}
    .facts>div{display:grid;grid-template-columns:minmax(6rem,11rem) minmax(0,1fr);gap:0 1.5rem;
      padding:.45rem 0;border-top:1px solid var(--hairline)}
    .facts dt{color:var(--muted)}
    .facts dd{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
    .figures{display:flex;flex-wrap:wrap;gap:2.6rem 2rem;align-items:flex-start}
    figure{max-width:100%;min-width:0}
    figcaption{width:0;min-width:100%;margin-top:.6rem;color:var(--muted);font-size:.9rem;line-height:1.5}
    img,svg.chart{display:block;max-width:100%;height:auto}
    @media(min-width:44rem){img{image-rendering:pixelated}}
    .animation{display:grid;justify-items:start}
    .animation input,.animation label{grid-row:2}
    .animation{grid-template-columns:auto 1fr;gap:.5rem .5rem;align-items:center}
    .animation img{grid-row:1;grid-column:1/-1}
    .animation label{font-size:.9rem;color:var(--muted)}
    .animation input{margin:0;width:1.1rem;height:1.1rem;accent-color:var(--c1)}
    .animation .held,.animation input:checked~.moving{display:none}
    .animation input:checked~.held{display:block}
    .scroll{overflow-x:auto;position:relative}
    table{border-collapse:collapse;min-width:min(100%,36rem);font-size:.94rem;line-height:1.4}
    .caption{color:var(--muted);font-size:.9rem;margin-bottom:.8rem}
    section>.caption+.scroll{margin-top:0}
    th,td{padding:.5rem 1.3rem .5rem 0;text-align:left;vertical-align:baseline}
    th,td{border-bottom:1px solid var(--hairline)}
    th:last-child,td:last-child{padding-right:.2rem}
    th{font-weight:400}
    th[scope=row]{min-width:9rem}
    @media(min-width:44rem){th[scope=row]{min-width:12rem}}
    thead th{color:var(--muted);font-size:.85rem;vertical-align:bottom;border-bottom-color:var(--muted)}
    .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums lining-nums}
    .pad{visibility:hidden}
    .error,.detail{color:var(--muted)}
    .detail{display:block;font-size:.85rem}
    .strip .g{stroke:var(--muted);opacity:.6}
    td .strip{vertical-align:middle;display:inline-block;max-width:none}
    .dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;background:var(--c);margin-right:.45em}
    pre{overflow-x:auto;background:var(--wash);padding:1rem 1.2rem;
      font:.86rem/1.5 ui-monospace,"DejaVu Sans Mono","Liberation Mono",monospace}
    .definition .facts>div{padding:.25rem 0}
    .definition{max-width:46rem;padding:1.2rem 0;scroll-margin-top:1rem}
    .definition:target{background:var(--wash);box-shadow:-1.1rem 0 0 var(--wash),1.1rem 0 0 var(--wash)}
    .definition:target h3{color:var(--c1)}
    @media(min-width:72rem){
      .page{grid-template-columns:11rem minmax(0,1fr)}
      header,main{grid-column:2}
      nav{grid-column:1;grid-row:1/span 2;align-self:start;position:sticky;top:3rem;max-height:calc(100vh - 6rem);
        overflow-y:auto}
      nav ol{display:block;border-left:1px solid var(--hairline);padding-left:1.1rem}
    }
    @media(max-width:34rem){.facts>div{grid-template-columns:minmax(0,1fr)}}
    @media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
    @media print,(prefers-reduced-motion:reduce){
      .animation .moving,.animation input,.animation label{display:none}
      .animation .held,.animation input:checked~.held{display:block}
    }
    @media print{
      body{font-size:10pt}
      .page{display:block;padding:0;max-width:none}
      .figures{gap:1.6rem 1.2rem}
      .figures svg.chart{max-width:8.4cm}
      nav,.skip{display:none}
      header{margin-bottom:2rem}
      h1::before,.dot,.note{print-color-adjust:exact}
      h2,h3,.caption{break-after:avoid}
      figure,tr,.definition,.highlights{break-inside:avoid}
      section{margin-bottom:2.5rem}
      .scroll{overflow:visible}
      pre{white-space:pre-wrap}
      a{color:inherit;text-decoration:none}
    }
    """
}
